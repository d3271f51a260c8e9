"""Every page and dialog, in both themes and at three widths; the keyboard; less motion."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.console.client import Client
from tests.console.conftest import Open
from tests.console.hook import Hook
from tests.console.looks import check, ready
from tests.e2e.conftest import Stack

DELIVERY_MS = 120_000
"""Until an event is delivered and its attempt is in the log, on busy cores."""


@pytest.fixture(scope="module")
def hook(client: Client, stack: Stack, devices: dict[str, str]) -> Iterator[Hook]:
    """A connector that has delivered an event, or is about to."""
    made = Hook(client, stack, "pages")
    client.publish(devices["freezer"], "touch", [(0, {})])
    yield made
    client.call("DELETE", made.path)


@pytest.fixture(scope="module")
def places(client: Client, devices: dict[str, str], hook: Hook) -> dict[str, str]:
    """What paths are made of."""
    return {"project": f"projects/{client.project}", "hook": hook.id, **devices}


def opened(open_console: Open, places: dict[str, str], path: str) -> Page:
    page = open_console(width=360).page
    page.goto("/console/" + path.format(**places))
    return page


PAGES = {
    "projects": "projects",
    "connectors": "{project}/connectors",
    "connector": "{project}/connectors/{hook}",
    "replays": "{project}/connectors/{hook}/replays",
    "changes": "{project}/connectors/{hook}/changes",
    "new connector": "{project}/connectors/new",
    "devices": "{project}/devices",
    "numbers": "{project}/devices/{freezer}?days=31",
    "states": "{project}/devices/{corridor}",
    "members": "{project}/access/members",
    "accounts": "{project}/access/accounts",
    "audit": "{project}/access/audit",
    "nowhere": "nowhere",
    "gone": "{project}/connectors/c00000000000000000000",
}


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_page_fits_and_axe_finds_nothing(
    open_console: Open, places: dict[str, str], path: str
) -> None:
    check(opened(open_console, places, path))


def test_signing_in_fits_and_axe_finds_nothing(open_window: Open) -> None:
    page = open_window(width=360).page
    page.goto("/console/")
    check(page)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("alert").first.wait_for()
    check(page)


def test_a_form_with_all_of_it_open_fits_and_axe_finds_nothing(
    open_console: Open, places: dict[str, str]
) -> None:
    page = opened(open_console, places, "{project}/connectors/{hook}/edit")
    page.get_by_label("Choose types").check()
    page.get_by_role("button", name="Add header").click()
    page.get_by_role("button", name="Generate").click()
    page.get_by_text("How to verify an event").click()
    check(page)
    page.get_by_label("Endpoint URL").fill("ftp://example.com")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").first.wait_for()
    check(page)


EMPTY = {
    "connectors": ("{project}/connectors", "**/dataconnectors?*", "dataConnectors"),
    "devices": ("{project}/devices", "**/devices?*", "devices"),
    "accounts": ("{project}/access/accounts", "**/serviceaccounts*", "serviceAccounts"),
    "audit": ("{project}/access/audit", "**/audit?*", "entries"),
    "attempts": ("{project}/connectors/{hook}", "**/attempts?*", "attempts"),
}
"""Lists: their pages, what they read, and the field of the answer."""


def failing(route: Route) -> None:
    route.fulfill(status=503, json={"error": "down"})


@pytest.mark.parametrize(("path", "read", "field"), EMPTY.values(), ids=EMPTY)
def test_empty_failing_and_loading_lists_fit_and_axe_finds_nothing(
    open_console: Open, places: dict[str, str], path: str, read: str, field: str
) -> None:
    log = {"mode": "ALL", "successesOneIn": 1, "dropped": 0}
    page = open_console(width=360).page
    held: list[Route] = []
    # It is being loaded until it is answered.
    page.route(read, lambda route: held.append(route))
    page.goto("/console/" + path.format(**places))
    page.get_by_role("status", name="Loading").first.wait_for()
    check(page, [360, 1280], is_loading=True)
    for route in held:
        route.fulfill(json={field: [], "nextPageToken": "", "log": log})
    page.locator(".empty").first.wait_for()
    check(page, [360, 1280])
    page.unroute(read)
    page.route(read, failing)
    page.reload()
    page.get_by_role("alert").first.wait_for()
    check(page, [360, 1280])


DIALOGS = {
    "device": ("devices", ["New emulated device"]),
    "labels": ("devices/{freezer}", ["Edit labels"]),
    "member": ("access/members", ["Add a member"]),
    "account": ("access/accounts", ["New service account"]),
    "keys": ("access/accounts", ["Keys"]),
    "revoked": ("access/accounts", ["Keys", "Revoke"]),
    "account deleted": ("access/accounts", ["Actions for Gateway in Oslo", "Delete"]),
    "account edited": ("access/accounts", ["Actions for Gateway in Oslo", "Edit"]),
    "menu": ("access/members", ["Actions for kari@example.com"]),
    "roles": ("access/members", ["Actions for kari@example.com", "Change roles"]),
    "removal": ("access/members", ["Actions for kari@example.com", "Remove from the project"]),
    "connector's menu": ("connectors/{hook}", ["More"]),
    "test": ("connectors/{hook}", ["Send test event"]),
    "pause": ("connectors/{hook}", ["Pause"]),
    "explain": ("connectors/{hook}", ["More", "Explain an event…"]),
    "resend": ("connectors/{hook}", ["More", "Resend an event…"]),
    "preview": ("connectors/{hook}", ["More", "Preview a delivery…", "Preview"]),
    "numbers": ("connectors/{hook}", ["Table"]),
    "replay": ("connectors/{hook}/replays", ["Replay…"]),
    "delete": ("connectors/{hook}/edit", ["Delete connector"]),
}


@pytest.mark.parametrize(("path", "buttons"), DIALOGS.values(), ids=DIALOGS)
def test_a_dialog_fits_and_axe_finds_nothing(
    open_console: Open, places: dict[str, str], path: str, buttons: list[str]
) -> None:
    page = opened(open_console, places, "{project}/" + path)
    for name in buttons:
        page.get_by_role("button", name=name, exact=True).first.click()
    check(page, [360, 1280])


def test_an_attempt_fits_and_axe_finds_nothing(open_console: Open, places: dict[str, str]) -> None:
    page = opened(open_console, places, "{project}/connectors/{hook}")
    row = page.get_by_role("row").filter(has_text="answered 200").first
    row.get_by_role("button").click(timeout=DELIVERY_MS)
    page.get_by_role("heading", name="Answer").wait_for()
    check(page)


def test_a_key_that_is_shown_once_fits_and_axe_finds_nothing(
    open_console: Open, client: Client, places: dict[str, str]
) -> None:
    email, _ = client.member_with("roles/project.user", "Key that is shown")
    page = opened(open_console, places, "{project}/access/accounts")
    account = page.get_by_role("region", name="Key that is shown")
    account.get_by_role("button", name="Keys").click()
    account.get_by_role("button", name="New key").click()
    page.get_by_role("dialog", name="The new key").wait_for()
    check(page, [360, 1280])
    client.call("DELETE", client.below(f"serviceaccounts/{email.partition('@')[0]}"))


def test_the_navigation_of_a_narrow_window(open_console: Open, places: dict[str, str]) -> None:
    page = opened(open_console, places, "{project}/devices")
    page.get_by_role("button", name="Open the navigation").click()
    check(page, [360])
    page.get_by_role("link", name="Access").click()
    expect(page.get_by_role("heading", name="Access", level=1)).to_be_visible()


def test_the_theme_that_is_chosen_stays(open_console: Open, places: dict[str, str]) -> None:
    page = open_console().page
    page.emulate_media(color_scheme="dark")
    page.goto("/console/" + PAGES["members"].format(**places))
    page.get_by_role("button", name="Theme: as the system").click()
    page.get_by_role("button", name="Theme: light").wait_for()
    root = "getComputedStyle(document.documentElement)"
    white = f"() => {root}.backgroundColor === 'rgb(255, 255, 255)'"
    page.wait_for_function(white)
    page.reload()
    page.get_by_role("button", name="Theme: light").wait_for()
    page.wait_for_function(white)


@pytest.mark.parametrize(
    ("motion", "seconds"), [("no-preference", 0.14), ("reduce", 0.00001)], ids=["moves", "still"]
)
def test_dialogs_move_only_where_motion_is_wanted(
    open_console: Open, places: dict[str, str], motion: str, seconds: float
) -> None:
    page = open_console().page
    page.emulate_media(reduced_motion="reduce" if motion == "reduce" else "no-preference")
    page.goto("/console/" + PAGES["members"].format(**places))
    page.get_by_role("button", name="Add a member").click()
    style = page.get_by_role("dialog").evaluate(
        "(each) => getComputedStyle(each).animationDuration"
    )
    assert float(style.removesuffix("s")) == pytest.approx(seconds)


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until an element has the focus, as people do who use no mouse."""
    wanted.wait_for(timeout=DELIVERY_MS)
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("(each) => each === document.activeElement"):
            return
    raise AssertionError(f"{MOST_TABS} times Tab, and never at {wanted}")


MOST_TABS = 60
"""More than any page has things to stop at before the one that is looked for."""


def test_a_connector_is_made_tested_and_deleted_with_the_keyboard_alone(
    open_console: Open, places: dict[str, str], hook: Hook
) -> None:
    page = open_console().page
    page.goto("/console/" + PAGES["connectors"].format(**places))
    ready(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to the content"
    tab_to(page, page.get_by_role("link", name="New connector", exact=True).first)
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("textbox", name="Display name optional", exact=True).first)
    page.keyboard.type("By keys")
    tab_to(page, page.get_by_role("textbox", name="Endpoint URL", exact=True).first)
    page.keyboard.type(hook.url)
    tab_to(page, page.get_by_role("combobox", name="Add a label's key", exact=True).first)
    page.keyboard.type("room")
    page.keyboard.press("Enter")  # It adds the label, and does not save
    expect(page.get_by_label("Labels that are included")).to_contain_text("room")
    tab_to(page, page.get_by_role("button", name="Create connector", exact=True).first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By keys")).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Send test event", exact=True).first)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Send a test event")
    dialog.wait_for()
    tab_to(page, page.get_by_role("button", name="Send", exact=True).first)
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("Delivered", exact=True)).to_be_visible(timeout=DELIVERY_MS)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Send test event").first).to_be_focused()
    tab_to(page, page.get_by_role("button", name="More", exact=True).first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Explain an event…")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Preview a delivery…")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Preview a delivery…").wait_for(state="hidden")
    tab_to(page, page.get_by_role("row").nth(1).get_by_role("button"))
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name=re.compile("Attempt 1")).wait_for()
    page.keyboard.press("Escape")
    page.goto(page.url.split("?")[0] + "/edit")
    tab_to(page, page.get_by_role("button", name="Delete connector", exact=True).first)
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("textbox", name="Type By keys to confirm", exact=True).first)
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Connectors", exact=True)).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="By keys")).to_have_count(0)
