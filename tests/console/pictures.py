"""Makes the pictures of the console in docs/pictures, on a stack of its own.

PYTHONPATH=layers/core python -m tests.console.pictures        (or `make screenshots`)

Pages, states and attempts are those of the running stack. The counts of the three hours before are
made up and put into its table, because the pictures should not take three hours.
"""

import json
import math
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3
import requests
from playwright.sync_api import Browser

from dataconnectors.delivery.attempt_counts import AttemptCounts, bucket_of
from dataconnectors.store.attempt_counts import WINDOW_MINUTES, AttemptCountStore
from dataconnectors.store.table import Table
from tests.console import browser
from tests.console.client import DEADLINE_SECONDS, Client, fill
from tests.console.conftest import sign_in_with_file
from tests.console.hook import SECRET
from tests.console.looks import ready
from tests.e2e.conftest import ROOT, Stack

PICTURES = ROOT / "docs/pictures"

WIDTH = 1280

CONNECTORS = (
    ("Building management", 200),
    ("Cold chain", 200),
    ("Data lake", 503),
    ("Night shift", 200),
    ("Old middleware", 200),
)
"""Display names, and what the endpoints answer. `PAUSED` and `DISABLED` are the last two."""
PAUSED, DISABLED = 3, 4

EVENTS_A_MINUTE = 40
ERRORS_BETWEEN = range(95, 110)
"""Minutes of the window in which some of the attempts failed."""

DELIVERED_SECONDS = 180.0
"""Until the attempts of all active connectors are in the log, on busy cores."""


def main() -> None:
    """Make all pictures, in both themes."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as state, browser.started() as running:
        stack = Stack(Path(state))
        try:
            _take_all(running, stack, Path(state))
        finally:
            stack.end()


def _take_all(running: Browser, stack: Stack, state: Path) -> None:
    client = Client(stack.ready)
    devices = fill(client)  # before there are connectors, which would get all of it in one minute
    connectors = [_connect(client, stack, *each) for each in CONNECTORS]
    client.publish(devices["freezer"], "temperature", ((now, {"value": -17.4}) for now in range(9)))
    _make_up_counts(state, connectors[:DISABLED])
    client.call("POST", client.below(f"dataconnectors/{connectors[PAUSED]}:pause"))
    disabled = client.below(f"dataconnectors/{connectors[DISABLED]}")
    client.call("PATCH", disabled, {"status": "USER_DISABLED"})
    _wait_for_attempts(client, connectors[:PAUSED])
    project = f"/console/projects/{client.project}"
    pages = {
        "connectors": f"{project}/connectors",
        "form": f"{project}/connectors/{connectors[1]}/edit",
        "connector": f"{project}/connectors/{connectors[0]}",
        "history": f"{project}/devices/{devices['freezer']}?days=31",
    }
    base = stack.ready["api"].removesuffix("/v2")
    first = browser.Window(running, base)
    sign_in_with_file(first.page, Path(stack.ready["credentials"]))
    for theme in browser.THEMES:
        window = browser.Window(running, base, theme, WIDTH)
        window.resume(first.session())
        for name, path in pages.items():
            window.page.goto(path)
            window.page.locator("h1").wait_for()
            ready(window.page)
            window.page.wait_for_load_state("networkidle")
            window.page.screenshot(path=PICTURES / f"{name}-{theme}.png")
            print(PICTURES / f"{name}-{theme}.png")
        window.close()
    first.close()


def _connect(client: Client, stack: Stack, name: str, status: int) -> str:
    hook = name.lower().replace(" ", "-")
    url = f"{stack.ready['receiver']}/hook/{hook}"
    requests.put(
        f"{stack.ready['receiver']}/control/{hook}",
        json={"status": status},
        verify=stack.ready["ca"],
        timeout=DEADLINE_SECONDS,
    ).raise_for_status()
    made = client.call(
        "POST",
        client.below("dataconnectors"),
        {
            "displayName": name,
            "labels": ["name", "room"],
            "httpConfig": {"url": url, "signatureSecret": SECRET},
        },
    )
    connector: str = made["name"].rpartition("/")[2]
    return connector


def _make_up_counts(state: Path, connectors: list[str]) -> None:
    """Counts of the last three hours, for `AttemptCountStore` as the sender adds them."""
    about: dict[str, Any] = json.loads((state / "stack.json").read_text())
    dynamodb = boto3.client(
        "dynamodb",
        endpoint_url=about["aws"],
        region_name=about["region"],
        aws_access_key_id="local",
        aws_secret_access_key="local",  # the emulator takes any
    )
    (table,) = dynamodb.list_tables()["TableNames"]
    store = AttemptCountStore(Table(dynamodb, table))
    chance, now = random.Random(1), time.time()
    for number, connector in enumerate(connectors):
        name = f"projects/{about['project']}/dataconnectors/{connector}"
        for minute in range(WINDOW_MINUTES - 1):
            wave = 1 + 0.4 * math.sin(minute / 20 + number)
            attempts = round(EVENTS_A_MINUTE * wave * chance.uniform(0.8, 1.2))
            errors = attempts // 6 if number == 0 and minute in ERRORS_BETWEEN else 0
            latencies: dict[int, int] = {}
            for _ in range(attempts):
                bucket = bucket_of(chance.lognormvariate(-2.6, 0.5))
                latencies[bucket] = latencies.get(bucket, 0) + 1
            counts = AttemptCounts(attempts - errors, errors, latencies)
            store.add(name, counts, now - (WINDOW_MINUTES - 1 - minute) * 60)


def _wait_for_attempts(client: Client, connectors: list[str]) -> None:
    deadline = time.monotonic() + DELIVERED_SECONDS
    for connector in connectors:
        path = client.below(f"dataconnectors/{connector}/attempts?pageSize=1")
        while not client.call("GET", path)["attempts"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing was delivered to {connector}")
            time.sleep(1)


if __name__ == "__main__":
    main()
