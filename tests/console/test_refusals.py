"""What pages say when the API refuses, fails, or is not there, and what they do about it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.client import Client
from tests.console.conftest import Open, sign_in_with_file
from tests.e2e.conftest import Stack

LIST = "**/v2/projects/*/devices?*"
MEMBERS = "**/v2/projects/*/members*"


def answering(status: int, times: int | None = None) -> Callable[[Route], None]:
    """A handler that answers `times` requests, or all, with an error; then as the API does."""
    left = [times if times is not None else 1_000]

    def handle(route: Route) -> None:
        left[0] -= 1
        if left[0] < 0:
            route.continue_()
            return
        error = {"error": "an error of the test", "code": status, "help": f"/v2/errors#{status}"}
        route.fulfill(
            status=status,
            headers={"Retry-After": "1"} if status == 429 else {},
            content_type="application/json",
            body=json.dumps(error),
        )

    return handle


def open_devices(open_console: Open, client: Client) -> Page:
    page = open_console().page
    page.goto(f"/console/projects/{client.project}/devices")
    return page


@pytest.mark.parametrize("status", [429, 503])
def test_what_passes_by_itself_is_tried_again(
    open_console: Open, client: Client, devices: dict[str, str], status: int
) -> None:
    window = open_console()
    window.page.route(LIST, answering(status, times=2))
    window.page.goto(f"/console/projects/{client.project}/devices")
    expect(window.page.get_by_role("link", name="Corridor")).to_be_visible()
    expect(window.page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "Your role does not allow this. Ask an administrator"),
        (429, "an error of the test"),
        (503, "The stack is unavailable for a moment. Try again."),
    ],
)
def test_an_error_says_what_to_do_and_is_tried_again_by_hand(
    open_console: Open, client: Client, devices: dict[str, str], status: int, said: str
) -> None:
    page = open_console().page
    page.route(LIST, answering(status))
    page.goto(f"/console/projects/{client.project}/devices")
    expect(page.get_by_role("main")).to_contain_text(said)
    page.unroute(LIST)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name="Corridor")).to_be_visible()
    expect(page.get_by_text(said)).to_have_count(0)


def test_nothing_typed_is_lost_offline_and_it_goes_on_afterwards(
    open_console: Open, client: Client
) -> None:
    window = open_console()
    page = window.page
    page.goto(f"/console/projects/{client.project}/access/members")
    page.get_by_role("button", name="Add a member").click()
    page.get_by_label("Email").fill("offline@example.com")
    page.context.set_offline(True)
    page.get_by_role("button", name="Add member").click()
    expect(page.get_by_role("dialog")).to_contain_text("You are offline")
    expect(page.get_by_label("Email")).to_have_value("offline@example.com")
    page.context.set_offline(False)
    page.get_by_role("button", name="Add member").click()
    expect(page.get_by_role("row", name="offline@example.com")).to_be_visible()
    window.forgive("ERR_INTERNET_DISCONNECTED")


def test_a_change_shows_although_the_list_was_being_read_meanwhile(
    open_console: Open, client: Client
) -> None:
    page = open_console().page
    page.goto(f"/console/projects/{client.project}/access/members")
    page.get_by_role("button", name="Add a member").click()
    page.get_by_label("Email").fill("meanwhile@example.com")
    before = client.call("GET", client.below("members?pageSize=1000"))
    held: list[Route] = []
    page.route(
        MEMBERS,
        lambda route: (
            route.continue_() if held or route.request.method != "GET" else held.append(route)
        ),
    )
    page.evaluate("dispatchEvent(new Event('online'))")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("button", name="Add member").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    held[0].fulfill(json=before)
    soon = 10_000  # ms: well before the page reads its list the next time by itself
    expect(page.get_by_role("row", name="meanwhile@example.com")).to_be_visible(timeout=soon)


def test_an_expired_sign_in_keeps_the_page_and_what_was_typed(
    open_console: Open, client: Client, account: dict[str, str]
) -> None:
    page = open_console().page
    page.goto(f"/console/projects/{client.project}/access/members")
    page.get_by_role("button", name="Add a member").click()
    page.get_by_label("Email").fill("expired@example.com")
    page.route("**/v2/projects/*/members", answering(401, times=1))
    page.get_by_role("button", name="Add member").click()
    again = page.get_by_role("dialog", name="Your session has ended")
    again.wait_for()
    page.unroute("**/v2/projects/*/members")
    again.get_by_label("Service account email").fill(account["email"])
    again.get_by_label("Key id").fill(account["keyId"])
    again.get_by_label("Secret").fill(account["secret"])
    again.get_by_role("button", name="Sign in", exact=True).click()
    expect(again).to_have_count(0)
    expect(page.get_by_role("row", name="expired@example.com")).to_be_visible()


def test_a_wrong_secret_is_said_plainly(open_window: Open, account: dict[str, str]) -> None:
    page = open_window().page
    page.goto("/console/")
    page.get_by_label("Service account email").fill(account["email"])
    page.get_by_label("Key id").fill(account["keyId"])
    page.get_by_label("Secret").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Not signed in")
    assert "wrong" not in page.url


def test_signed_out_is_signed_out(open_console: Open, client: Client) -> None:
    page = open_devices(open_console, client)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("() => Object.keys(sessionStorage)") == []


def test_a_page_that_was_offline_says_so_and_goes_on_by_itself(
    open_console: Open, client: Client, devices: dict[str, str]
) -> None:
    window = open_console()
    page = window.page
    page.goto(f"/console/projects/{client.project}/devices")
    expect(page.get_by_role("link", name="Corridor")).to_be_visible()
    page.context.set_offline(True)
    banner = page.get_by_role("status").filter(has_text="You are offline")
    expect(banner).to_be_visible()
    expect(page.get_by_role("link", name="Corridor")).to_be_visible()  # What was read stays
    device = client.device("touch", name="Made meanwhile")
    page.context.set_offline(False)
    expect(page.get_by_role("link", name="Made meanwhile")).to_be_visible()
    expect(banner).to_have_count(0)
    client.call("DELETE", client.below(f"devices/{device}"))
    window.forgive("ERR_INTERNET_DISCONNECTED")


def test_other_tabs_are_signed_in_and_out_too(
    open_window: Open, client: Client, stack: Stack
) -> None:
    page = open_window().page
    sign_in_with_file(page, Path(stack.ready["credentials"]))
    other = page.context.new_page()
    other.goto(f"/console/projects/{client.project}/devices")
    expect(other.get_by_role("heading", name="Devices")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
