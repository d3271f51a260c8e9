"""One connector: health, plot, attempts, and what can be done about a delivery."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, Route, expect

from tests.console import axe
from tests.console.browser import SIZES, THEMES, Theme, overflow
from tests.console.client import Client
from tests.console.conftest import Open, sign_in_with_file
from tests.e2e.conftest import Stack

MARKUP = "<img src=x onerror=\"document.title='run'\"><b>bold</b> {{7*7}}"
BACKWARDS = "\u202emoc.elpmaxe\u202d"
LONG = "w" * 4_000
"""Hostile texts: markup, a template, a right-to-left override, and no place to break."""

DELIVERY_MS = 60_000
"""Until an event is delivered and its attempt is in the log, on busy cores."""

RECEIVER_SECONDS = 30


class Hook:
    """A connector that pushes to a hook of the local receiver, which answers as asked."""

    def __init__(self, client: Client, stack: Stack, name: str) -> None:
        self.url = f"{stack.ready['receiver']}/hook/{name}"
        self._control = f"{stack.ready['receiver']}/control/{name}"
        self._ca = stack.ready["ca"]
        made = client.call(
            "POST",
            client.below("dataconnectors"),
            {
                "displayName": name,
                "events": ["temperature", "touch"],
                "httpConfig": {
                    "url": self.url,
                    "signatureSecret": "a-secret-of-32-characters-xxxxxx",
                },
            },
        )
        self.id: str = made["name"].rpartition("/")[2]
        self.path = client.below(f"dataconnectors/{self.id}")
        self.page = f"/console/projects/{client.project}/connectors/{self.id}"

    def answer(self, status: int) -> None:
        """Let the hook answer with a status from now on."""
        requests.put(
            self._control, json={"status": status}, verify=self._ca, timeout=RECEIVER_SECONDS
        ).raise_for_status()

    def arrived(self) -> list[dict[str, Any]]:
        """What the hook received, oldest first."""
        answer = requests.get(
            f"{self._control}/requests", verify=self._ca, timeout=RECEIVER_SECONDS
        )
        found: list[dict[str, Any]] = answer.json()["requests"]
        return found


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


def test_a_replay_shows_its_progress_until_it_is_done(
    open_console: Open, hook: Hook, device: str
) -> None:
    page = show(open_console, hook, "/replays")
    page.get_by_role("button", name="Replay…").click()
    dialog(page).get_by_role("button", name="Start").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("button", name="Replay…")).to_be_disabled()
    expect(page.get_by_text("done", exact=True)).to_be_visible(timeout=3 * DELIVERY_MS)
    expect(page.get_by_text("1 of 1 event").or_(page.get_by_text("2 of 2 events"))).to_be_visible()
    expect(page.get_by_text("None: nothing was lost.")).to_be_visible()


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


def test_commands_name_the_token_and_do_not_have_it(open_console: Open, hook: Hook) -> None:
    page = show(open_console, hook)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Send test event").first.click()
    dialog(page).get_by_role("button", name="curl this call").click()
    command: str = page.evaluate("() => navigator.clipboard.readText()")
    assert command.startswith("curl -X POST 'http")
    assert f"/v2{hook.path}:test'" in command
    assert '"Authorization: Bearer $TOKEN"' in command
    session = json.loads(page.evaluate("() => sessionStorage.getItem('session')"))
    secrets = [text for text in session.values() if isinstance(text, str) and len(text) > 16]
    assert not any(text in command for text in secrets)


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


TABS = {"": "Attempts", "/replays": "Expired events", "/changes": "Changes"}

PARTS = {
    "Explain an event": "Why was it (not) delivered?",
    "Preview a delivery": "What would be sent",
    "Resend an event": "Resend an event",
}


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("theme", THEMES)
def test_all_of_it_fits_its_window_and_axe_finds_nothing(
    open_console: Open, hook: Hook, device: str, theme: Theme, width: int
) -> None:
    page = open_console(theme, width).page
    for tab, heading in TABS.items():
        page.goto(hook.page + tab)
        page.get_by_role("heading", name=heading).first.wait_for()
        page.wait_for_function("() => !document.querySelector('.skeleton, [aria-busy=true]')")
        check(page)
    page.goto(hook.page)
    page.get_by_role("button", name="Table", exact=True).click()
    check(page)
    for item, title in PARTS.items():
        page.get_by_role("button", name="More").click()
        page.get_by_role("button", name=item).click()
        page.get_by_role("dialog", name=title).wait_for()
        check(page)
        page.keyboard.press("Escape")
    row_of(page, device).get_by_role("button").click()
    page.get_by_role("heading", name="Answer").wait_for()
    check(page)


def check(page: Page) -> None:
    assert overflow(page) == 0
    assert axe.violations(page) == []
