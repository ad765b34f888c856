"""Ends TLS in front of a master that cannot do so itself, as a reverse proxy does.

relay.py PORT MASTER_PORT CERTIFICATE KEY
"""

import asyncio
import contextlib
import ssl
import sys

BLOCK = 65536  # bytes


async def pump(reader, writer):
    """Hands on what comes, and the end of it."""
    with contextlib.suppress(OSError):
        while block := await reader.read(BLOCK):
            writer.write(block)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


async def serve(port, master_port, context):
    async def connected(reader, writer):
        try:
            to_master = await asyncio.open_connection("127.0.0.1", master_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, to_master[1]), pump(to_master[0], writer))

    server = await asyncio.start_server(connected, "127.0.0.1", port, ssl=context)
    await server.serve_forever()


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), context))
