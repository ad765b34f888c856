"""A link to a master that can be lost without anybody being told."""

import asyncio
import threading


class Link:
    """A TCP proxy on 127.0.0.1; while it is `dark`, nothing passes and nothing is closed."""

    def __init__(self, port):
        self.target = port
        self.loop = asyncio.new_event_loop()
        self.open = None
        self.port = None
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        ready.wait()

    def dark(self, dark):
        """Loses the link, or brings it back."""
        change = self.open.clear if dark else self.open.set
        self.loop.call_soon_threadsafe(change)

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.open = asyncio.Event()
        self.open.set()
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def _serve(self, reader, writer):
        await self.open.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader, writer):
        try:
            while block := await reader.read(65536):
                await self.open.wait()
                writer.write(block)
                await writer.drain()
            await self.open.wait()
        except OSError:
            pass
        writer.close()
