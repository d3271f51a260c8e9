"""An endpoint on Python's standard library: verifies deliveries and saves each event once.

    SIGNATURE_SECRET=... EVENTS_DATABASE=events.db python app.py 8443 certificate.pem key.pem

For real traffic put it behind a proxy that ends TLS: leave out the files, and it speaks plain HTTP.
"""

import json
import os
import sqlite3
import ssl
import sys
from contextlib import closing
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dataconnectors.receive import Event, RefusedError, receive

SECRET = os.environ["SIGNATURE_SECRET"]
DATABASE = os.environ.get("EVENTS_DATABASE", "events.db")

LARGEST_BODY = 64 * 1024  # Bytes: a delivery never has more


def make_table() -> None:
    with closing(sqlite3.connect(DATABASE)) as database, database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS events (event_id TEXT PRIMARY KEY, event TEXT NOT NULL)"
        )


def save(event: Event) -> None:
    """Save the event; it is on disk when this returns. The key ignores its second arrival."""
    with closing(sqlite3.connect(DATABASE)) as database, database:
        database.execute(
            "INSERT INTO events VALUES (?, ?) ON CONFLICT (event_id) DO NOTHING",
            (event.event_id, json.dumps(asdict(event))),
        )


class Handler(BaseHTTPRequestHandler):
    protocol_version = (
        "HTTP/1.1"  # Keeps the connection, which spares the next delivery a handshake
    )
    timeout = 60.0  # Seconds that a silent client may hold a thread

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True  # The body stays unread
            return self.answer(413, "Content-Length is missing or too large")
        body = self.rfile.read(int(length))
        try:
            save(receive(self.headers, body, SECRET))
        except RefusedError as error:
            return self.answer(error.status, str(error))
        except sqlite3.Error as error:
            self.log_error("not saved: %s", error)
            return self.answer(503, "not saved")  # It comes again
        return self.answer(200, "saved")

    def answer(self, status: int, text: str) -> None:
        content = json.dumps({"message": text}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main(port: str, certificate: str = "", key: str = "") -> None:
    make_table()
    server = ThreadingHTTPServer(("", int(port)), Handler)
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)
        # The handshake is not made in accept(), where one slow client would delay all others.
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
