"""A TCP relay that delays every byte by a fixed time in each direction, as a long link does.

    delay.py TARGET-PORT MILLISECONDS

Prints the port that it listens on. It reads on while bytes are under way, up to a limit, so the link
is long but wide.
"""

import asyncio
import sys

BLOCK = 256 * 1024
# Most bytes under way in each direction: what the link holds.
HELD = 32 * 1024 * 1024


async def carry(reader, writer, delay):
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue(HELD // BLOCK)

    async def read():
        while True:
            block = await reader.read(BLOCK)
            await queue.put((loop.time() + delay, block))
            if not block:
                return

    reading = asyncio.create_task(read())
    try:
        while True:
            due, block = await queue.get()
            pause = due - loop.time()
            if pause > 0:
                await asyncio.sleep(pause)
            if not block:
                return
            writer.write(block)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        reading.cancel()
        writer.close()


async def main():
    target, delay = int(sys.argv[1]), float(sys.argv[2]) / 1000

    async def accepted(reader, writer):
        there = await asyncio.open_connection("127.0.0.1", target, limit=BLOCK)
        await asyncio.gather(
            carry(reader, there[1], delay),
            carry(there[0], writer, delay),
            return_exceptions=True,
        )

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, limit=BLOCK)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
