"""The console in a browser: from signing in to a connector that turns green.

This is the one flow that `make test` has; `make console-test` has all of them.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.console import conftest as console
from tests.console.client import Client
from tests.e2e.conftest import Stack

account, running_browser, session = console.account, console.running_browser, console.session
open_window, open_console = console.open_window, console.open_console

GREEN_MS = 180_000
"""Until an event is delivered and the list has read its timeline, on busy cores."""


@pytest.fixture
def client(stack: Stack) -> Client:
    return Client(stack.ready)


def test_a_connector_that_is_made_in_the_console_turns_green(
    open_console: console.Open, client: Client
) -> None:
    page = open_console().page
    page.goto(f"/console/projects/{client.project}/connectors/new")
    page.get_by_label("Display name").fill("Made in a browser")
    page.get_by_role("button", name="Use a try-out endpoint").click()
    expect(page.get_by_label("Endpoint URL")).to_have_value(re.compile("^https://.+/try/"))
    page.get_by_role("button", name="Create connector").click()
    expect(page.get_by_role("heading", name="Made in a browser", exact=True)).to_be_visible()
    page.get_by_role("link", name="Connectors", exact=True).first.click()
    row = page.get_by_role("row").filter(has_text="Made in a browser")
    expect(row).to_contain_text("no deliveries yet")
    device = client.device("temperature", name="Freezer")
    client.publish(device, "temperature", [(1, {"value": -18.0})])
    expect(row.get_by_text("healthy", exact=True)).to_be_visible(timeout=GREEN_MS)
    listed = client.call("GET", client.below("dataconnectors?pageSize=100"))["dataConnectors"]
    (made,) = [each for each in listed if each["displayName"] == "Made in a browser"]
    client.call("DELETE", f"/{made['name']}")
    client.call("DELETE", client.below(f"devices/{device}"))
