"""AWS in a separate process, which gives the answers that were recorded.

    python bench/player.py CERTIFICATE ANSWERS

CERTIFICATE is a PEM file with a key and a chain. ANSWERS is a JSON file: by the keys of a request
(see `keys_of`) a status, a content type and a body in Base64. Writes its port to standard output,
and ends with its standard input. It answers at once, so that its client's work is what is measured.
"""

import asyncio
import base64
import json
import ssl
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path


def keys_of(method: str, path: str, target: str, body: bytes) -> Iterator[str]:
    """The keys of a request, the most exact first.

    Writes hold times and new ids, so they are told by their operation and how many entries they
    have: a batch is answered entry by entry.
    """
    yield f"{method} {path} {target} {body.decode('latin-1')}"
    fields = json.loads(body) if target and body else {}
    entries = sum(len(field) for field in fields.values() if isinstance(field, list))
    yield f"{method} {path} {target} {entries}"


class Player:
    """Answers requests; `answers` as in this module's docstring."""

    def __init__(self, answers: Mapping[str, tuple[int, str, str]]) -> None:
        self._answers = {
            key: b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (status, HTTPStatus(status).phrase.encode(), kind.encode(), len(raw), raw)
            for key, (status, kind, text) in answers.items()
            for raw in [base64.b64decode(text)]
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                request, *lines = head.strip().split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in lines)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = request.split(" ", 2)
                writer.write(self._answer(method, path, headers.get("x-amz-target", ""), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    def _answer(self, method: str, path: str, target: str, body: bytes) -> bytes:
        for key in keys_of(method, path, target, body):
            if key in self._answers:
                return self._answers[key]
        print(f"not recorded: {method} {path} {target} {body!r}", file=sys.stderr, flush=True)
        return b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n"


async def main(certificate: str, answers: str) -> None:
    """Listen until standard input ends."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    player = Player(json.loads(Path(answers).read_text()))
    server = await asyncio.start_server(player.serve, "127.0.0.1", 0, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
