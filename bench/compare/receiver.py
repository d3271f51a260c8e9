"""The customers' endpoints of all contenders: HTTPS with kept connections, in one process.

    python -m bench.compare.receiver DIRECTORY COUNT

Writes its authority to DIRECTORY/ca.pem and a JSON list of the endpoints' ports to standard output.
Then each line of standard input is a command in JSON, answered by a line of JSON; `Receiver` sends
them. Ends with its standard input.

An endpoint answers 200, after `delay` seconds if that is set. A hanging one reads each request and
answers never. While they are down their ports are closed and all connections cut.
"""

import asyncio
import json
import re
import ssl
import sys
import time
from pathlib import Path
from typing import Any

import trustme

from client.signature import Verified, verify
from local.ports import HOST

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"

BACKLOG = 512
"""Connections that wait to be accepted. A burst opens hundreds at once, and each that is dropped
would come back a whole second later."""

_EVENT_ID = re.compile(rb'"eventId":"([^"]+)"')


class Endpoints:
    """The endpoints, and what has arrived."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self.ports: list[int] = []
        self._servers: list[asyncio.Server] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._arrivals: list[tuple[str, int, float, str, bytes]] = []
        self._hanging: set[int] = set()
        self._delay = 0.0

    async def open(self, count: int) -> None:
        """Listen on `count` free ports."""
        for endpoint in range(count):
            await self._listen(endpoint, 0)
            self.ports.append(self._servers[-1].sockets[0].getsockname()[1])

    async def _listen(self, endpoint: int, port: int) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.add(writer)
            try:
                await self._serve(endpoint, reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
                pass  # The client has gone
            finally:
                self._writers.discard(writer)
                writer.close()

        self._servers.append(
            await asyncio.start_server(serve, HOST, port, ssl=self._tls, backlog=BACKLOG)
        )

    async def _serve(
        self, endpoint: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
            }
            body = await reader.readexactly(int(headers["content-length"]))
            if endpoint in self._hanging:
                await reader.read()  # until the client gives up
                return
            found = _EVENT_ID.search(body)
            event_id = found[1].decode() if found else ""
            signature = headers.get("x-dt-signature", "")
            self._arrivals.append((event_id, endpoint, time.time(), signature, body))
            if self._delay:
                await asyncio.sleep(self._delay)
            writer.write(ANSWER)
            await writer.drain()

    async def obey(self, command: dict[str, Any]) -> Any:
        """Do what a command says; its answer."""
        match command:
            case {"hang": hanging}:
                self._hanging = set(hanging)
            case {"delay": delay}:
                self._delay = delay
            case {"down": True}:
                for server in self._servers:
                    server.close()
                self._servers.clear()
                for writer in self._writers:
                    writer.transport.abort()
            case {"down": False}:
                for endpoint, port in enumerate(self.ports):
                    await self._listen(endpoint, port)
            case {"count": prefix}:
                return len({found[0] for found in self._arrivals if found[0].startswith(prefix)})
            case {"arrivals": prefix, "secret": secret}:
                return [
                    (event_id, endpoint, at, is_signed(signature, body, secret))
                    for event_id, endpoint, at, signature, body in self._arrivals
                    if event_id.startswith(prefix)
                ]
        return None


def is_signed(signature: str, body: bytes, secret: str) -> bool:
    """Whether a receiver that checks signature and checksum would have accepted a delivery."""
    return isinstance(verify({"x-dt-signature": signature}, body, secret), Verified)


async def main(directory: Path, count: int) -> None:
    """Serve and obey until standard input ends."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # With an intermediate authority, as public endpoints have one.
    authority.create_child_ca().issue_cert(HOST).configure_cert(tls)
    endpoints = Endpoints(tls)
    await endpoints.open(count)
    print(json.dumps(endpoints.ports), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await endpoints.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
