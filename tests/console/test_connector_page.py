"""One connector: health, plot, attempts, and what can be done about a delivery."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.console.browser import overflow
from tests.console.client import Client
from tests.console.conftest import Open, sign_in_with_file
from tests.console.hook import Hook
from tests.e2e.conftest import Stack

MARKUP = "<img src=x onerror=\"document.title='run'\"><b>bold</b> {{7*7}}"
BACKWARDS = "\u202emoc.elpmaxe\u202d"
LONG = "w" * 4_000
"""Hostile texts: markup, a template, a right-to-left override, and no place to break."""

DELIVERY_MS = 120_000
"""Until an event is delivered and its attempt is in the log, on busy cores."""


@pytest.fixture(scope="module")
def hook(client: Client, stack: Stack) -> Iterator[Hook]:
    """A connector with one delivered event."""
    made = Hook(client, stack, "console-page")
    yield made
    client.call("DELETE", made.path)


@pytest.fixture(scope="module")
def device(client: Client, hook: Hook) -> str:
    """A device whose event the connector has got."""
    made = client.device("temperature", name="Page's device")
    client.publish(made, "temperature", [(1, {"value": 4.5})])
    return made


def show(open_console: Open, hook: Hook, tab: str = "") -> Page:
    page = open_console().page
    page.goto(hook.page + tab)
    return page


def row_of(page: Page, text: str) -> Locator:
    """The newest attempt with a text. The list shows it without a reload."""
    row = page.get_by_role("row").filter(has_text=text).first
    row.wait_for(timeout=DELIVERY_MS)
    return row


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def test_a_test_event_arrives_and_shows_with_its_request_and_answer(
    open_console: Open, hook: Hook
) -> None:
    page = show(open_console, hook)
    page.get_by_role("button", name="Send test event").first.click()
    dialog(page).get_by_label("Event type").select_option("touch")
    dialog(page).get_by_role("button", name="Send", exact=True).click()
    expect(dialog(page).get_by_text("Delivered", exact=True)).to_be_visible(timeout=DELIVERY_MS)
    dialog(page).get_by_role("button", name="Show request and answer").click()
    sheet = page.get_by_role("dialog", name="Attempt 1 of a touch event")
    expect(sheet.get_by_role("region", name="Request: headers")).to_contain_text("X-Dt-Test: true")
    expect(sheet.get_by_role("region", name="Request: body")).to_contain_text('"touch"')
    expect(sheet.get_by_role("region", name="Answer: headers")).to_contain_text("Status 200")
    expect(sheet.get_by_text("First byte")).to_be_visible()
    sheet.get_by_role("button", name="Close").click()
    expect(row_of(page, "touch")).to_contain_text("test")
    assert [each["headers"].get("X-Dt-Test") for each in hook.arrived()].count("true") == 1


def test_an_event_is_found_explained_and_sent_again(
    open_console: Open, hook: Hook, device: str
) -> None:
    page = show(open_console, hook)
    row_of(page, device)
    page.get_by_role("searchbox", name="Device id").fill(device)
    expect(page.get_by_role("row")).to_have_count(2)
    row_of(page, device).get_by_role("button").click()
    dialog(page).get_by_role("button", name="Explain").click()
    explanation = page.get_by_role("region", name="Explanation")
    expect(explanation).to_contain_text("Delivered")
    before = len(hook.arrived())
    dialog(page).get_by_role("button", name="Resend").click()
    expect(dialog(page).get_by_label("Device id")).to_have_value(device)
    dialog(page).get_by_role("button", name="Resend", exact=True).click()
    dialog(page).get_by_role("button", name="Show its attempts").click(timeout=DELIVERY_MS)
    expect(page.get_by_role("row")).to_have_count(3, timeout=DELIVERY_MS)
    expect(page.get_by_role("searchbox", name="Event id")).to_have_value(f"{device}-temperature-0")
    assert len(hook.arrived()) == before + 1


def test_a_failure_shows_and_the_filter_of_outcomes_finds_it(
    open_console: Open, hook: Hook, client: Client, device: str
) -> None:
    page = show(open_console, hook)
    hook.answer(503)
    client.publish(device, "touch", [(0, {})])
    expect(row_of(page, "answered 503")).to_contain_text("503")
    page.get_by_role("button", name="Failed").click()
    expect(page.get_by_role("row").filter(has_text="answered 200")).to_have_count(0)
    expect(page.get_by_text("It is failing")).to_be_visible(timeout=DELIVERY_MS)
    assert "outcome=FAILED" in page.url
    hook.answer(200)
    expect(page.get_by_text("It is failing")).to_have_count(0, timeout=DELIVERY_MS)
    expect(page.locator("main .badge.good").first).to_have_text("healthy")


def test_a_preview_sends_nothing(open_console: Open, hook: Hook) -> None:
    page = show(open_console, hook)
    before = len(hook.arrived())
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Preview a delivery").click()
    dialog(page).get_by_role("button", name="Preview", exact=True).click()
    head = dialog(page).get_by_role("region", name="Request: headers")
    expect(head).to_contain_text(f"POST {hook.url}")
    expect(head).to_contain_text("X-Dt-Signature: ey")
    assert len(hook.arrived()) == before


def test_pause_and_resume(open_console: Open, hook: Hook, client: Client) -> None:
    page = show(open_console, hook)
    page.get_by_role("button", name="Pause", exact=True).click()
    dialog(page).get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text("It is paused")).to_be_visible()
    expect(page.get_by_role("button", name="Send test event").first).to_be_disabled()
    assert client.call("GET", f"{hook.path}:health")["state"] == "PAUSED"
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("It is paused")).to_have_count(0)
    assert client.call("GET", f"{hook.path}:health")["state"] == "HEALTHY"


def test_a_replay_pushes_history_again_and_is_seen_to_end(
    open_console: Open, hook: Hook, device: str
) -> None:
    page = show(open_console, hook, "/replays")
    before = len(hook.arrived())
    page.get_by_role("button", name="Replay…").click()
    dialog(page).get_by_role("button", name="Start").click()
    expect(page.get_by_text("done", exact=True)).to_be_visible(timeout=3 * DELIVERY_MS)
    expect(page.get_by_text(re.compile(r"([1-9]\d*) of \1 event"))).to_be_visible()
    expect(page.get_by_text("None: nothing was lost.")).to_be_visible()
    assert len(hook.arrived()) > before


def test_a_replay_shows_its_progress_and_can_be_cancelled(open_console: Open, hook: Hook) -> None:
    replay = {
        "name": f"{hook.path}/replays/r1"[1:],
        "state": "RUNNING",
        "startTime": "2026-01-30T12:00:00Z",
        "endTime": "2026-01-31T12:00:00Z",
        "eventTypes": ["temperature"],
        "devices": [],
        "total": 50,
        "sent": 19,
        "skipped": 1,
        "error": "",
        "createTime": "2026-01-31T12:00:00Z",
        "updateTime": "2026-01-31T12:00:01Z",
    }
    cancelled: list[str] = []

    def cancel(route: Route) -> None:
        cancelled.append(route.request.url)
        replay["state"] = "CANCELLED"
        route.fulfill(json=replay)

    page = open_console().page
    page.route(
        "**/replays?*",
        lambda route: route.fulfill(json={"replays": [replay], "nextPageToken": ""}),
    )
    page.route("**/replays/r1:cancel", cancel)
    page.goto(hook.page + "/replays")
    progress = page.get_by_role("progressbar", name="Progress of the replay")
    expect(progress).to_have_js_property("value", 20)
    expect(progress).to_have_js_property("max", 50)
    expect(page.get_by_text("20 of 50 events · 1 not pushed · temperature")).to_be_visible()
    expect(page.get_by_role("button", name="Replay…")).to_be_disabled()
    page.get_by_role("button", name="Cancel", exact=True).click()
    dialog(page).get_by_role("button", name="Cancel the replay").click()
    expect(page.get_by_text("cancelled", exact=True)).to_be_visible()
    expect(progress).to_have_count(0)
    assert len(cancelled) == 1


def test_a_gap_is_filled_by_its_replay_and_expired_events_say_why(
    open_console: Open, hook: Hook
) -> None:
    fill = {"startTime": "2026-01-30T12:00:00.000001Z", "endTime": "2026-01-30T13:00:00.000001Z"}
    gap = {**fill, "reason": "EXPIRED", "count": 12, "replay": fill}
    lost = {**fill, "reason": "UNACCOUNTED", "count": 3, "replay": None}
    expired = {
        "eventId": "e-expired",
        "eventType": "temperature",
        "targetName": "projects/p/devices/freezer",
        "expiredTime": "2026-01-31T00:00:00Z",
        "attempts": 7,
        "lastError": {"kind": "status", "message": "example.com answered 503", "status": 503},
    }
    sent: list[Any] = []

    def start(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(json={})

    page = open_console().page
    page.route(
        "**/gaps?*",
        lambda route: route.fulfill(json={"gaps": [gap, lost], "nextPageToken": ""}),
    )
    page.route(
        "**/expired?*",
        lambda route: route.fulfill(json={"expiredEvents": [expired], "nextPageToken": ""}),
    )
    page.route("**/*:replay", start)
    page.goto(hook.page + "/replays")
    expect(page.get_by_role("row").filter(has_text="not in history")).to_contain_text("3")
    row = page.get_by_role("row").filter(has_text="e-expired")
    expect(row).to_contain_text("example.com answered 503")
    page.get_by_role("button", name="Fill…").click()
    dialog(page).get_by_role("button", name="Start").click()
    expect(dialog(page)).to_have_count(0)
    assert sent == [fill]


def test_changes_are_those_of_this_connector(
    open_console: Open, hook: Hook, client: Client
) -> None:
    other = client.call(
        "POST",
        client.below("dataconnectors"),
        {"displayName": "Other", "httpConfig": {"url": hook.url}},
    )
    client.call("PATCH", hook.path, {"labels": ["name", "room"]})
    page = show(open_console, hook, "/changes")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Changed connector: labels")
    expect(page.get_by_role("row").filter(has_text="Created")).to_have_count(1)
    client.call("DELETE", f"/{other['name']}")


COMMANDS = {
    "test": ("", ["Send test event"], "curl this call", "POST", ":test"),
    "pause": ("", ["Pause"], "curl this call", "POST", ":pause"),
    "explain": ("", ["More", "Explain an event…"], "curl this call", "GET", ":explain"),
    "preview": ("", ["More", "Preview a delivery…"], "curl this call", "POST", ":preview"),
    "resend": ("", ["More", "Resend an event…"], "curl this call", "POST", ":resend"),
    "settings": ("", ["More"], "Copy curl: its settings", "GET", ""),
    "health": ("", ["More"], "Copy curl: its health", "GET", ":health"),
    "plot": ("", [], "curl the last 3 hours", "GET", ":timeline"),
    "attempts": ("", [], "curl the attempts", "GET", "/attempts"),
    "replay": ("/replays", ["Replay…"], "curl this call", "POST", ":replay"),
    "replays": ("/replays", [], "curl the replays", "GET", "/replays"),
    "gaps": ("/replays", [], "curl the gaps", "GET", "/gaps"),
    "expired": ("/replays", [], "curl the expired events", "GET", "/expired"),
    "edit": ("/edit", [], "curl this call", "GET", ""),
    "delete": ("/edit", ["Delete connector"], "curl this call", "DELETE", ""),
}
"""What a connector does: its page, what is clicked, the button that copies, and the call."""


def test_all_that_it_does_copies_as_a_command_without_the_token(
    open_console: Open, hook: Hook
) -> None:
    page = open_console().page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for tab, clicks, copy, method, call in COMMANDS.values():
        page.goto(hook.page + tab)
        for name in clicks:
            page.get_by_role("button", name=name, exact=True).first.click()
        page.evaluate("() => navigator.clipboard.writeText('')")
        page.get_by_role("button", name=copy).last.click()  # That of the dialog, if there is one
        copied = page.wait_for_function("() => navigator.clipboard.readText()")
        command: str = copied.json_value()
        verb = "" if method == "GET" else f"-X {method} "
        assert command.startswith(f"curl {verb}'http"), command
        assert f"/v2{hook.path}{call}" in command
        assert '"Authorization: Bearer $TOKEN"' in command
        session = json.loads(page.evaluate("() => sessionStorage.getItem('session')"))
        assert session["token"] not in command


def test_what_the_role_forbids_is_not_offered(
    open_window: Open, hook: Hook, client: Client, tmp_path: Path
) -> None:
    email, key = client.member_with("roles/project.user", "Looks only")
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps({"serviceAccount": {**key, "keyId": key["keyId"], "email": email}}))
    page = open_window().page
    sign_in_with_file(page, path)
    page.goto(hook.page)
    page.get_by_role("heading", name="Attempts").wait_for()
    row_of(page, "answered 200").get_by_role("button").click()
    page.get_by_role("heading", name="Request").wait_for()
    for name in ("Send test event", "Pause", "Resend"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(dialog(page).get_by_role("button", name="Explain")).to_be_visible()
    client.call("DELETE", client.below(f"serviceaccounts/{email.partition('@')[0]}"))


def changed(change: Callable[[Any], None]) -> Callable[[Route], None]:
    """A handler that answers as the API does, with a change."""

    def handle(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        change(body)
        route.fulfill(response=answer, json=body)

    return handle


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("text", [MARKUP, BACKWARDS, LONG], ids=["markup", "backwards", "long"])
def test_answers_and_errors_of_endpoints_are_text(
    open_console: Open, hook: Hook, device: str, text: str, width: int
) -> None:
    def hostile(body: dict[str, Any]) -> None:
        for each in body.get("attempts", [body]):
            each.update(message=text, eventType=text, error=text)
        if "response" in body:
            body["response"] = {
                "status": 200,
                "headers": [{"name": text, "value": text}],
                "body": text,
                "isTruncated": False,
            }

    def failing(body: dict[str, Any]) -> None:
        error = {"kind": text, "message": text, "status": 0, "time": "2026-01-31T12:00:00Z"}
        body.update(lastError=error, state="OUTAGE")

    page = open_console(width=width).page
    page.route("**/attempts*", changed(hostile))
    page.route("**/attempts/*", changed(hostile))
    page.route("**:health", changed(failing))
    page.goto(hook.page)
    expect(page.get_by_role("row").nth(1)).to_contain_text(text, timeout=DELIVERY_MS)
    assert overflow(page) == 0
    page.get_by_role("row").nth(1).get_by_role("button").click()
    expect(dialog(page).get_by_role("region", name="Answer: body")).to_contain_text(text)
    assert overflow(page) == 0
    assert page.locator("main img, main b b, dialog img").count() == 0
    assert "run" not in page.title()


@pytest.mark.parametrize("status", [403, 429, 503])
def test_an_error_of_the_api_is_said_and_tried_again(
    open_console: Open, hook: Hook, status: int
) -> None:
    page = open_console().page
    pattern = "**/attempts?*"
    body = {"error": "an error of the test", "code": status, "help": ""}
    page.route(pattern, lambda route: route.fulfill(status=status, json=body))
    page.goto(hook.page)
    again = page.get_by_role("button", name="Try again")
    again.wait_for()
    page.unroute(pattern)
    again.click()
    page.get_by_role("row").nth(1).wait_for()
    expect(again).to_have_count(0)


def test_a_connector_that_is_not_there_is_said_to_be_gone(
    open_console: Open, client: Client
) -> None:
    page = open_console().page
    page.goto(f"/console/projects/{client.project}/connectors/c00000000000000000000")
    expect(page.get_by_role("heading", name="There is no such connector")).to_be_visible()
    page.get_by_role("link", name="All connectors").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connectors")
