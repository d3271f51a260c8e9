"""HTTPS endpoints that never end their answers, and a stand-in for the sender's AWS.

    python -m bench.hostile DIRECTORY COUNT

Runs in a separate process, so that its memory does not count. Writes the endpoints' authority to
DIRECTORY/ca.pem and the port of AWS to standard output. Ends when its standard input does.

AWS knows the connectors `{kind}-0` to `{kind}-{COUNT - 1}` of project `p`. Each has its own
endpoint, which behaves as the kind says (see `parts`). AWS accepts every write.
"""

import asyncio
import base64
import gzip
import itertools
import json
import re
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import trustme

from bench.sender import SECRETS
from dataconnectors.store.connector_items import connector_item
from tests.support.rows import a_connector

OK = b"HTTP/1.1 200 OK\r\n"
BLOCK = b"x" * 65_536
BOMB = gzip.compress(bytes(10_000_000))
"""A gzip member of a thousandth of the size that it expands to. An answer may repeat it for
ever."""

Parts = Iterator[tuple[bytes, float]]
"""The parts of an answer, each with the seconds to wait before it is sent."""


def _flood(start: bytes, again: bytes) -> Parts:
    return itertools.chain([(start, 0.0)], itertools.repeat((again, 0.0)))


def parts(kind: str) -> Parts:
    """The parts of an answer without end."""
    match kind:
        case "body":
            return _flood(OK + b"\r\n", BLOCK)
        case "chunks":
            return _flood(
                OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + BLOCK + b"\r\n"
            )
        case "error":
            return _flood(b"HTTP/1.1 500 Oops\r\n\r\n", BLOCK)
        case "headers":
            return _flood(OK, b"X-Filler: " + BLOCK[:60_000] + b"\r\n")
        case "line":
            return _flood(OK + b"X-Filler: ", BLOCK)
        case "interim":
            return _flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
        case "bomb":
            return _flood(OK + b"Content-Encoding: gzip\r\n\r\n", BOMB)
        case "drip":
            drips = itertools.repeat((b"x", 1.0))
            return itertools.chain([(OK + b"Content-Length: 1000\r\n\r\n", 0.0)], drips)
        case _:
            raise ValueError(kind)


async def hostile(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the one request of a connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    for part, pause in parts(head.split(b" ", 2)[1].decode().removeprefix("/")):
        await asyncio.sleep(pause)
        writer.write(part)
        await writer.drain()


async def aws(ports: list[int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the calls of a connection."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = int(re.findall(r"(?im)^content-length: (\d+)", head)[0])
        call = json.loads(await reader.readexactly(length))
        result: dict[str, Any] = {}
        if "X-Amz-Target: DynamoDB_20120810.GetItem" in head:
            result = {"Item": row(call["Key"]["sk"]["S"].removeprefix("CONNECTOR#"), ports)}
        elif "X-Amz-Target: TrentService.Decrypt" in head:
            result = {"Plaintext": SECRETS.to_bytes()}
        content = json.dumps(result, default=lambda raw: base64.b64encode(raw).decode()).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))
        await writer.drain()


def row(name: str, ports: list[int]) -> dict[str, Any]:
    """A connector's row, as DynamoDB answers."""
    kind, _, number = name.partition("-")
    url = f"https://127.0.0.1:{ports[int(number)]}/{kind}"
    return connector_item(a_connector(id=name, url=url, sealed=b"sealed"))


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def listen(serve: Serve, tls: ssl.SSLContext) -> int:
    """Serve each connection until its peer is gone; the port."""

    async def until_gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            writer.close()

    server = await asyncio.start_server(until_gone, "127.0.0.1", 0, ssl=tls)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def main(directory: Path, count: int) -> None:
    """Listen until standard input ends."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    ports = [await listen(hostile, tls) for _ in range(count)]
    print(await listen(partial(aws, ports), tls), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
