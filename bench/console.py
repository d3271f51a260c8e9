"""Measures the console in Chromium: what is transferred, when it can be used, and long lists.

These are the browser's own timings, so they are in milliseconds and not ratios: what a person waits
for has no floor to compare with. The stack is that of `make run`; long lists are put into the API's
answers, as a project has no such number of connectors.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, CDPSession, Page, Route

from bench.report import Figure
from dataconnectors.kernel import times
from tests.console import browser
from tests.console.client import Client
from tests.console.conftest import sign_in_with_file
from tests.e2e.conftest import Stack

ROUNDS = 7

CONNECTORS, ATTEMPTS = 500, 200

TRANSFERRED_BUDGET = 100.0
"""Kilobytes, compressed, of everything that a first visit to the list loads of the console."""

PAINTED_BUDGET, USABLE_BUDGET = 1000.0, 1500.0
"""Milliseconds from the request of the page to its first content, and to the list's first row."""

LONG_LIST_BUDGET = 100.0
"""Milliseconds of CPU of the main thread for a long list: what is longer is felt as a pause."""

IS_THERE = "() => document.querySelector('main tbody tr') && performance.now()"
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
TRANSFERRED = """() => performance.getEntriesByType('resource')
  .concat(performance.getEntriesByType('navigation'))
  .filter((each) => new URL(each.name).pathname.startsWith('/console/'))
  .reduce((sum, each) => sum + each.encodedBodySize, 0)"""


def measure() -> list[Figure]:
    """Open the pages of a stack with one connector, each time in a window with an empty cache."""
    with tempfile.TemporaryDirectory() as state, browser.started() as running:
        stack = Stack(Path(state))
        try:
            return _measure(running, stack)
        finally:
            stack.end()


def _measure(running: Browser, stack: Stack) -> list[Figure]:
    client = Client(stack.ready)
    url = f"{stack.ready['receiver']}/hook/bench"
    made = client.call("POST", client.below("dataconnectors"), {"httpConfig": {"url": url}})
    base = stack.ready["api"].removesuffix("/v2")
    first = browser.Window(running, base)
    sign_in_with_file(first.page, Path(stack.ready["credentials"]))
    session = first.session()
    first.close()
    project = f"/console/projects/{client.project}"
    page_of_one = f"{project}/connectors/{made['name'].rpartition('/')[2]}"
    found: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        window = browser.Window(running, base)
        window.resume(session)
        window.page.goto(f"{project}/connectors")
        usable = window.page.wait_for_function(IS_THERE, polling=10).json_value()
        for name, value in (
            ("usable", usable),
            ("painted", window.page.evaluate(PAINTED)),
            ("transferred", window.page.evaluate(TRANSFERRED) / 1000),
        ):
            found.setdefault(name, []).append(value)
        for name, path, change in (
            ("connectors", f"{project}/connectors", _with_connectors(made)),
            ("attempts", page_of_one, _with_attempts(made["name"])),
        ):
            found.setdefault(name, []).append(_main_thread(window.page, path, change))
        window.close()
    return [
        Figure("transferred by a first visit, kB", found["transferred"], TRANSFERRED_BUDGET),
        Figure("first contentful paint, ms", found["painted"], PAINTED_BUDGET),
        Figure("the list can be used, ms", found["usable"], USABLE_BUDGET),
        Figure(
            f"main thread, list of {CONNECTORS} connectors, ms",
            found["connectors"],
            LONG_LIST_BUDGET,
        ),
        Figure(
            f"main thread, list of {ATTEMPTS} attempts, ms", found["attempts"], LONG_LIST_BUDGET
        ),
    ]


Change = Callable[[str, Any], Any]
"""Makes another answer of the API's: from the path's end after the project, and its JSON."""


def _main_thread(page: Page, path: str, change: Change) -> float:
    """Milliseconds of the main thread that a page takes more with long lists than with its own."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU, not the clock
    short = _busy_until_shown(page, session, path)

    def handle(route: Route) -> None:
        answer = route.fetch()
        value = change(urlsplit(route.request.url).path, answer.json())
        route.fulfill(response=answer, body=json.dumps(value))

    page.route("**/v2/projects/*/**", handle)
    long = _busy_until_shown(page, session, path)
    page.wait_for_function(IS_THERE)
    page.unroute_all(behavior="ignoreErrors")
    session.detach()
    return long - short


def _busy_until_shown(page: Page, session: CDPSession, path: str) -> float:
    page.goto("about:blank")
    began = _busy(session)
    page.goto(path)
    page.locator("h1").wait_for()
    page.wait_for_load_state("networkidle")
    return _busy(session) - began


def _busy(session: CDPSession) -> float:
    """Milliseconds of CPU that the tasks of the page's main thread have taken so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    (seconds,) = (each["value"] for each in metrics if each["name"] == "TaskDuration")
    return float(seconds) * 1e3


def _with_connectors(connector: dict[str, Any]) -> Change:
    names = [f"{connector['name'][:-4]}{number:04}" for number in range(CONNECTORS)]
    lists = {
        "/dataconnectors": "dataConnectors",
        "/dataconnectors:health": "dataConnectorHealth",
        "/dataconnectors:timeline": "timelines",
    }

    def change(path: str, value: Any) -> Any:
        for end, key in lists.items():
            if path.endswith(end) and value.get(key):
                (one, *_) = value[key]
                name = "name" if "name" in one else "connector"
                return value | {key: [one | {name: each} for each in names], "nextPageToken": ""}
        return value

    return change


def _with_attempts(connector: str) -> Change:
    now = times.to_text(time.time())
    attempts = [
        {
            "name": f"{connector}/attempts/event-{number}-{number:016}",
            "attemptTime": now,
            "eventId": f"event-{number}",
            "eventType": "temperature",
            "deviceName": "projects/p/devices/d",
            "attempt": 1,
            "outcome": "FAILED" if number % 7 == 0 else "SUCCEEDED",
            "status": 503 if number % 7 == 0 else 200,
            "error": "",
            "message": "example.com answered",
            "durations": dict.fromkeys(
                ("queue", "dns", "connect", "tls", "firstByte", "rest", "total"), 12
            ),
            "requestBytes": 900,
            "responseBytes": 200,
            "nextAttemptTime": "",
            "isTest": False,
            "sampledOneIn": 1,
            "leftOutBefore": 0,
        }
        for number in range(ATTEMPTS)
    ]

    def change(path: str, value: Any) -> Any:
        return value | {"attempts": attempts} if path.endswith("/attempts") else value

    return change
