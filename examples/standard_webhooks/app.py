"""An endpoint in Flask that verifies deliveries by the official library of Standard Webhooks.

    pip install standardwebhooks flask
    SIGNATURE_SECRET=... EVENTS_DATABASE=events.db flask --app app run --port 8443 \
        --cert certificate.pem --key key.pem

The connector needs `"standardWebhooks": true` in its httpConfig.
"""

import os
import sqlite3
from contextlib import closing

from flask import Flask, request
from flask.typing import ResponseReturnValue
from standardwebhooks import Webhook, WebhookVerificationError

SECRET = os.environ["SIGNATURE_SECRET"]
DATABASE = os.environ.get("EVENTS_DATABASE", "events.db")

# A secret with whsec_ is base64 of the key. Any other one is the key itself, which the library
# takes as bytes.
webhook = Webhook(SECRET if SECRET.startswith("whsec_") else SECRET.encode())

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024  # Bytes: a delivery never has more

with closing(sqlite3.connect(DATABASE)) as database, database:
    database.execute(
        "CREATE TABLE IF NOT EXISTS events (event_id TEXT PRIMARY KEY, event TEXT NOT NULL)"
    )


@app.post("/hook")
def hook() -> ResponseReturnValue:
    body = request.get_data()
    content = webhook.verify(body, dict(request.headers))
    if not isinstance(content, dict) or "event" not in content:
        return {"message": "the body has no event"}, 400
    # The webhook's id is that of the event, which may come twice: the key ignores the second one.
    with closing(sqlite3.connect(DATABASE)) as database, database:
        database.execute(
            "INSERT INTO events VALUES (?, ?) ON CONFLICT (event_id) DO NOTHING",
            (request.headers["webhook-id"], body.decode()),
        )
    return {"message": "saved"}  # 200. Any other exception is a 500, and the event comes again


@app.errorhandler(WebhookVerificationError)
def refuse(error: WebhookVerificationError) -> ResponseReturnValue:
    return {"message": str(error)}, 401
