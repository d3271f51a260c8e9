"""A browser and a local stack for all tests of this folder, and a window for each test."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console import browser, chromium
from tests.console.client import Client, fill
from tests.console.hook import SECRET
from tests.e2e.conftest import Stack
from tests.e2e.conftest import stack as stack  # the fixture

expect.set_options(timeout=browser.WAIT_MS)

Open = Callable[..., browser.Window]
"""Opens a window: `open_window(theme="dark", width=360)`."""


@pytest.fixture(scope="session")
def running_browser() -> Iterator[Browser]:
    if chromium.find() is None:
        (pytest.fail if chromium.is_required() else pytest.skip)(chromium.MISSING)
    with browser.started() as running:
        yield running


@pytest.fixture(scope="session")
def client(stack: Stack) -> Client:
    """The API with a key of its own: the limit of requests is one of each key."""
    email, key = Client(stack.ready).member_with("roles/project.admin", "Client of the tests")
    return Client(stack.ready, {"email": email, **key})


@pytest.fixture(scope="session")
def account(stack: Stack) -> dict[str, str]:
    """The administrator's service account, with which the console is used: email, keyId, secret."""
    file: dict[str, dict[str, str]] = json.loads(Path(stack.ready["credentials"]).read_bytes())
    return file["serviceAccount"]


@pytest.fixture(scope="session")
def devices(client: Client) -> dict[str, str]:
    """Ids of devices with history, by what they are. There are members and accounts as well."""
    return fill(client)


@pytest.fixture
def open_window(running_browser: Browser, stack: Stack, account: dict[str, str]) -> Iterator[Open]:
    """Opens windows, and fails the test when one of them noticed a problem."""
    windows: list[browser.Window] = []

    def open_one(theme: browser.Theme = "light", width: int = 1280) -> browser.Window:
        base = stack.ready["api"].removesuffix("/v2")
        windows.append(browser.Window(running_browser, base, theme, width))
        windows[-1].secrets |= {SECRET, account["secret"]}
        return windows[-1]

    yield open_one
    for window in windows:
        window.close()
    assert [problem for window in windows for problem in window.problems] == []


@pytest.fixture(scope="session")
def session(running_browser: Browser, stack: Stack) -> str:
    """The console's session of the administrator, who has signed in with the credentials file."""
    window = browser.Window(running_browser, stack.ready["api"].removesuffix("/v2"))
    sign_in_with_file(window.page, Path(stack.ready["credentials"]))
    made = window.session()
    assert window.problems == []
    window.close()
    return made


def sign_in_with_file(page: Page, credentials: Path) -> None:
    """Sign in as the console's first page says."""
    page.goto("/console/")
    page.get_by_label("choose a credentials file").set_input_files(credentials)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Sign out").wait_for()


@pytest.fixture
def open_console(open_window: Open, session: str) -> Open:
    """Opens windows in which the administrator is signed in."""

    def open_one(theme: browser.Theme = "light", width: int = 1280) -> browser.Window:
        window = open_window(theme, width)
        window.resume(session)
        return window

    return open_one
