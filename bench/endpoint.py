"""An HTTPS endpoint in a separate process, so that its work does not count as the sender's.

    python -m bench.endpoint DIRECTORY

Writes its authority to DIRECTORY/ca.pem and its port to standard output. Answers every POST with
200 after the seconds that the path names, such as /0.2, and to / at once. The answer is `{}`, which
is also what DynamoDB answers to a write. Ends with its standard input.
"""

import asyncio
import re
import ssl
import sys
from pathlib import Path

import trustme

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            await reader.readexactly(int(re.findall(r"(?im)^content-length: (\d+)", head)[0]))
            await asyncio.sleep(float(head.split(" ", 2)[1].removeprefix("/") or 0))
            writer.write(ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        writer.close()


async def main(directory: Path) -> None:
    """Listen until standard input ends."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # With an intermediate authority, as public endpoints have one.
    authority.create_child_ca().issue_cert("127.0.0.1").configure_cert(context)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
