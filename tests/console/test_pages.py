"""Every page in both themes and at three widths: it fits its window, and axe finds nothing."""

import pytest
from playwright.sync_api import Page, expect

from tests.console import axe
from tests.console.browser import SIZES, THEMES, Theme, overflow
from tests.console.client import Client
from tests.console.conftest import Open

PAGES = {
    "projects": "projects",
    "devices": "projects/{project}/devices",
    "numbers": "projects/{project}/devices/{freezer}?days=31",
    "states": "projects/{project}/devices/{corridor}",
    "members": "projects/{project}/access/members",
    "accounts": "projects/{project}/access/accounts",
    "audit": "projects/{project}/access/audit",
    "nowhere": "nowhere",
}

READY = "() => !document.querySelector('.skeleton, .spinner, [aria-busy=true]')"
"""The page shows what it has loaded."""


def check(page: Page) -> None:
    """Check what the window shows."""
    page.locator("h1").first.wait_for()
    page.wait_for_function(READY)
    assert overflow(page) == 0
    assert axe.violations(page) == []


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("theme", THEMES)
def test_pages_fit_and_axe_finds_nothing(
    open_console: Open, client: Client, devices: dict[str, str], theme: Theme, width: int
) -> None:
    page = open_console(theme, width).page
    for path in PAGES.values():
        page.goto("/console/" + path.format(project=client.project, **devices))
        check(page)


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("theme", THEMES)
def test_signing_in_fits_and_axe_finds_nothing(open_window: Open, theme: Theme, width: int) -> None:
    page = open_window(theme, width).page
    page.goto("/console/")
    check(page)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("alert").first.wait_for()
    check(page)


DIALOGS = {
    "device": ("devices", ["New emulated device"]),
    "labels": ("devices/{freezer}", ["Edit labels"]),
    "member": ("access/members", ["Add a member"]),
    "account": ("access/accounts", ["New service account"]),
    "keys": ("access/accounts", ["Keys"]),
    "menu": ("access/members", ["Actions for kari@example.com"]),
    "roles": ("access/members", ["Actions for kari@example.com", "Change roles"]),
    "removal": ("access/members", ["Actions for kari@example.com", "Remove from the project"]),
}


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("theme", THEMES)
def test_dialogs_fit_and_axe_finds_nothing(
    open_console: Open, client: Client, devices: dict[str, str], theme: Theme, width: int
) -> None:
    page = open_console(theme, width).page
    for path, buttons in DIALOGS.values():
        page.goto(f"/console/projects/{client.project}/{path.format(**devices)}")
        for name in buttons:
            page.get_by_role("button", name=name).first.click()
        check(page)


@pytest.mark.parametrize("theme", THEMES)
def test_the_navigation_of_a_narrow_window(
    open_console: Open, client: Client, theme: Theme
) -> None:
    page = open_console(theme, 360).page
    page.goto(f"/console/projects/{client.project}/devices")
    page.get_by_role("button", name="Open the navigation").click()
    check(page)
    page.get_by_role("link", name="Access").click()
    page.get_by_role("heading", name="Access", level=1).wait_for()


def test_pages_are_used_with_the_keyboard_alone(open_console: Open, client: Client) -> None:
    page = open_console().page
    page.goto(f"/console/projects/{client.project}/access/members")
    page.get_by_role("button", name="Add a member").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    add = page.get_by_role("button", name="Add a member")
    add.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type("ola@example.com")
    expect(page.get_by_label("Email")).to_have_value("ola@example.com")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(add).to_be_focused()
