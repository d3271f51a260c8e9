"""An endpoint in Flask: verifies deliveries and saves each event once.

    SIGNATURE_SECRET=... EVENTS_DATABASE=events.db flask --app app run --port 8443 \
        --cert certificate.pem --key key.pem
"""

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import asdict

from flask import Flask, request
from flask.typing import ResponseReturnValue

from dataconnectors.receive import Event, RefusedError, receive

SECRET = os.environ["SIGNATURE_SECRET"]
DATABASE = os.environ.get("EVENTS_DATABASE", "events.db")

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024  # Bytes: a delivery never has more

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


@app.post("/hook")
def hook() -> ResponseReturnValue:
    # The raw bytes: `request.json` written again would have other checksums.
    save(receive(request.headers, request.get_data(), SECRET))
    return {"message": "saved"}  # 200. Any other exception is a 500, and the event comes again


@app.errorhandler(RefusedError)
def refuse(error: RefusedError) -> ResponseReturnValue:
    return {"message": str(error)}, error.status
