"""A gateway that publishes: each line of standard input is an event, and none is lost.

    pip install requests pyjwt
    export DT_CREDENTIALS_FILE=.local/credentials.json
    python app.py http://127.0.0.1:8000/v2 PROJECT < events.jsonl

A line is JSON: {"eventId", "targetName", "eventType", "data", "timestamp"}. Make the id when the
event happens, and keep the event until this program has ended with 0: whatever was not accepted is
sent again with the same id, by which receivers recognize what they have got already.
"""

import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import requests

EVENTS_OF_CALL = 100
"""The most that a call takes."""

TIMEOUT = (3.05, 30.0)
"""Seconds to connect, and to wait for an answer. The API answers within 30."""

LARGEST_ANSWER = 1024 * 1024
"""Bytes. An answer says of a hundred events at most what is wrong with each."""

TRIES = 8
LONGEST_PAUSE = 60.0
"""Tries of a call, and seconds between two of them: a second, doubled each time, and a bit more at
random, so that gateways that failed together do not come back together."""

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Publisher:
    """Publishes to one project over one kept connection."""

    def __init__(self, api: str, project: str, account: dict[str, str]) -> None:
        self._api = api
        self._url = f"{api}/projects/{project}/events"
        self._account = account
        self._session = requests.Session()
        self._token_ends = 0.0

    def publish(self, events: list[dict[str, Any]]) -> list[str]:
        """Publish until all events are accepted or refused; what is wrong with the refused ones.

        Raises `requests.RequestException` when the last try got no answer, too.
        """
        waiting = events
        for number in range(TRIES):
            if number:
                pause = min(2.0 ** (number - 1), LONGEST_PAUSE)
                time.sleep(pause * (1 + random.random() / 4))
            try:
                status, answer = self._post(self._url, json={"events": waiting})
            except requests.RequestException:
                if number == TRIES - 1:
                    raise
                continue  # Perhaps they were accepted: the ids make a second time harmless
            errors = answer.get("errors", [])
            if status == 200 or (status == 400 and errors):
                return [f"{waiting[each['index']]['eventId']}: {each['error']}" for each in errors]
            if status == 503 and errors:
                waiting = [waiting[each["index"]] for each in errors]
            elif status < 500 and status != 429:
                raise requests.HTTPError(f"answered {status}: {answer.get('error', answer)}")
        raise requests.HTTPError(f"{len(waiting)} events were not accepted in {TRIES} tries")

    def _post(self, url: str, **body: Any) -> tuple[int, Any]:
        if time.monotonic() >= self._token_ends and url == self._url:
            self._log_in()
        with self._session.post(
            url, timeout=TIMEOUT, allow_redirects=False, stream=True, **body
        ) as response:
            raw = response.raw.read(LARGEST_ANSWER, decode_content=True)
            try:
                return response.status_code, json.loads(raw)
            except ValueError:
                return response.status_code, {}

    def _log_in(self) -> None:
        """Exchange an assertion, signed with the account's key, for an access token."""
        endpoint, now = f"{self._api}/oauth2/token", int(time.time())
        claims = {"iat": now, "exp": now + 3600, "aud": endpoint, "iss": self._account["email"]}
        headers = {"kid": self._account["keyId"]}
        assertion = jwt.encode(claims, self._account["secret"], "HS256", headers=headers)
        status, answer = self._post(
            endpoint, data={"assertion": assertion, "grant_type": GRANT_TYPE}
        )
        if status != 200:
            raise requests.HTTPError(f"the token endpoint answered {status}")
        self._session.headers["Authorization"] = f"Bearer {answer['access_token']}"
        self._token_ends = time.monotonic() + answer["expires_in"] - 60


def calls() -> Iterator[list[dict[str, Any]]]:
    """The events of standard input, as many at a time as a call takes."""
    events: list[dict[str, Any]] = []
    for line in sys.stdin:
        events.append(json.loads(line))
        if len(events) == EVENTS_OF_CALL:
            yield events
            events = []
    if events:
        yield events


def main() -> int:
    """Publish everything; 1 when an event was refused."""
    api, project = sys.argv[1:]
    credentials = json.loads(Path(os.environ["DT_CREDENTIALS_FILE"]).read_text())
    publisher = Publisher(api, project, credentials["serviceAccount"])
    published, refused = 0, []
    for events in calls():
        found = publisher.publish(events)
        published += len(events) - len(found)
        refused += found
    print(f"{published} accepted, {len(refused)} refused", *refused, sep="\n")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
