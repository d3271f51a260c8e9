"""Text from outside is text: markup, templates, right-to-left marks and 4,000 characters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser import overflow
from tests.console.client import Client
from tests.console.conftest import Open
from tests.console.hook import Hook
from tests.console.looks import WIDER, ready, resize
from tests.e2e.conftest import Stack

MARKUP = "<img src=x onerror=\"document.title='run'\"><b>bold</b>"
TEMPLATE = "{{7*7}} ${7*7} <%= 7*7 %>"
BACKWARDS = "\u202emoc.live\u202d\u2067abc"
LONG = "w" * 250
"""Characters without a place to break: as many as a label may have."""

TEXTS = {"markup": MARKUP, "template": TEMPLATE, "backwards": BACKWARDS, "long": LONG}

LENGTH = 4_000
LABEL = 64
"""Characters of a label's key at most."""

LONGEST = {
    "x": "x" * LENGTH,
    "markup": (MARKUP * LENGTH)[: LENGTH - 1] + "x",
    "template": (TEMPLATE * LENGTH)[: LENGTH - 1] + "x",
    "backwards": (BACKWARDS * LENGTH)[: LENGTH - 1] + "x",
}


def sees_text(page: Page) -> None:
    """Check that nothing of a text has become a part of the page, and that the layout holds."""
    assert page.locator("main img, main b b, dialog img, .toast img, .menu img").count() == 0
    assert page.title() != "run"
    assert overflow(page) == 0
    assert page.evaluate(WIDER) == 0


@pytest.fixture(scope="module")
def hook(client: Client, stack: Stack) -> Iterator[Hook]:
    made = Hook(client, stack, "bad-input")
    yield made
    client.call("DELETE", made.path)


@dataclass(frozen=True)
class Place:
    """A field: `path` of its page, what is clicked before and after, its `role` and `name`.

    `others` are filled before. A field takes `most` characters; 0 stands for any number.
    """

    path: str
    clicks: tuple[str, ...]
    name: str
    submit: str = ""
    role: Any = "textbox"
    others: tuple[tuple[str, str], ...] = ()
    most: int = 0


FORM = "{project}/connectors/new", "Create connector"
WRONG = (("Endpoint URL", "ftp://example.com"),)
"""So that no connector is made of a text that is allowed."""
EVENT = (("Event id", "e1"),)
HOOK = "{project}/connectors/{hook}"
ACCOUNTS = "{project}/access/accounts"

FIELDS = {
    "list's search": Place(
        "{project}/connectors", (), "Search by name, URL or id", role="searchbox"
    ),
    "display name": Place(FORM[0], (), "Display name optional", FORM[1], others=WRONG, most=256),
    "URL": Place(FORM[0], (), "Endpoint URL", FORM[1]),
    "header's name": Place(FORM[0], ("Add header",), "Name of header 1", FORM[1], others=WRONG),
    "header's value": Place(FORM[0], ("Add header",), "Value of header 1", FORM[1], others=WRONG),
    "secret": Place(FORM[0], (), "Signature secret optional", FORM[1], others=WRONG),
    "event of attempts": Place(HOOK, (), "Event id", role="searchbox"),
    "device of attempts": Place(HOOK, (), "Device id", role="searchbox"),
    "event to explain": Place(HOOK, ("More", "Explain an event…"), "Event id", "Explain"),
    "device to explain": Place(
        HOOK, ("More", "Explain an event…"), "Device id optional", "Explain", others=EVENT
    ),
    "event to resend": Place(HOOK, ("More", "Resend an event…"), "Event id", "Resend"),
    "device to resend": Place(
        HOOK, ("More", "Resend an event…"), "Device id optional", "Resend", others=EVENT
    ),
    "event to preview": Place(
        HOOK, ("More", "Preview a delivery…", "An event of history"), "Event id", "Preview"
    ),
    "name to delete": Place(HOOK + "/edit", ("Delete connector",), "Type bad-input to confirm"),
    "devices' search": Place(
        "{project}/devices", (), "Search devices by name or id", role="searchbox"
    ),
    "device's name": Place(
        "{project}/devices", ("New emulated device",), "Name optional", "Create device"
    ),
    "label's key": Place(
        "{project}/devices/{freezer}", ("Edit labels",), "Key of label 1", "Save labels"
    ),
    "label's value": Place(
        "{project}/devices/{freezer}", ("Edit labels",), "Value of label 1", "Save labels"
    ),
    "email": Place("{project}/access/members", ("Add a member",), "Email", "Add member"),
    "account's name": Place(
        ACCOUNTS, ("New service account",), "Display name", "Create service account"
    ),
    "account's new name": Place(
        ACCOUNTS, ("Actions for Gateway in Oslo", "Edit"), "Display name", "Save"
    ),
    "account to delete": Place(
        ACCOUNTS,
        ("Actions for Gateway in Oslo", "Delete"),
        "Type Gateway in Oslo to confirm",
    ),
}


@pytest.mark.parametrize("place", FIELDS.values(), ids=FIELDS)
def test_4000_characters_in_a_field_are_text_that_is_refused_and_kept(
    open_console: Open, client: Client, devices: dict[str, str], hook: Hook, place: Place
) -> None:
    page = open_console(width=360).page
    project = f"/console/projects/{client.project}"
    page.goto(place.path.format(project=project, hook=hook.id, **devices))
    for button in place.clicks:
        page.get_by_role("button", name=button, exact=True).first.click()
    # A dialog is drawn after the page behind it.
    page.get_by_role(place.role, name=place.name, exact=True).wait_for()
    dialog = page.get_by_role("dialog")
    within = dialog if dialog.count() else page.get_by_role("main")
    for name, value in place.others:
        within.get_by_role("textbox", name=name, exact=True).fill(value)
    for text in LONGEST.values():
        kept = text[: place.most] if place.most else text
        field = within.get_by_role(place.role, name=place.name, exact=True)
        field.fill(text)
        if place.submit:
            within.get_by_role("button", name=place.submit, exact=True).click()
            expect(within.get_by_role("alert").first).to_be_visible()
        expect(field).to_have_value(kept)
        sees_text(page)


def test_4000_characters_as_the_key_of_a_label_are_cut_and_kept(
    open_console: Open, client: Client
) -> None:
    page = open_console(width=360).page
    page.goto(f"/console/projects/{client.project}/connectors/new")
    page.get_by_label("Endpoint URL").fill(WRONG[0][1])
    for text in LONGEST.values():
        page.get_by_label("Add a label's key").fill(text)
        page.get_by_label("Add a label's key").press("Enter")
        page.get_by_role("button", name="Create connector").click()
        expect(page.get_by_role("alert").first).to_be_visible()
        expect(page.get_by_label("Labels that are included")).to_contain_text(text[:LABEL].strip())
        sees_text(page)


@pytest.mark.parametrize("name", ["Service account email", "Key id", "Secret"])
def test_4000_characters_in_a_field_of_signing_in_are_refused_and_kept(
    open_window: Open, account: dict[str, str], name: str
) -> None:
    window = open_window(width=360)
    window.secrets.clear()  # Nothing is signed in, and the texts are no secrets
    page = window.page
    page.goto("/console/")
    for label, value in (
        ("Service account email", account["email"]),
        ("Key id", account["keyId"]),
        ("Secret", account["secret"]),
    ):
        page.get_by_label(label).fill(value)
    for text in LONGEST.values():
        page.get_by_label(name).fill(text)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("Not signed in")
        expect(page.get_by_label(name)).to_have_value(text)
        sees_text(page)


@pytest.mark.parametrize("kind", ["markup", "template", "long"])
def test_settings_of_a_connector_are_text_on_every_page(
    open_console: Open, client: Client, kind: str
) -> None:
    text = TEXTS[kind]
    body = {
        "displayName": text,
        "status": "USER_DISABLED",
        "httpConfig": {
            "url": f"https://example.com/{LONG}",
            "headers": {"X-Hostile": MARKUP},
            "signatureSecret": (text * 10)[:200],
        },
    }
    connector = client.call("POST", client.below("dataconnectors"), body)["name"]
    shown = client.call("GET", f"/{connector}")["displayName"]
    page = open_console().page
    base = f"/console/{connector}".replace("dataconnectors", "connectors")
    lists = f"/console/projects/{client.project}"
    for path in (f"{lists}/connectors", base, f"{base}/edit", f"{base}/changes"):
        page.goto(path)
        page.get_by_text(shown, exact=False).first.wait_for()
        ready(page)
        for width in (1280, 360):
            resize(page, width)
            sees_text(page)
    page.goto(f"{base}/edit")
    page.get_by_role("button", name="Show the secret").click()
    page.get_by_role("button", name="Show the value of X-Hostile").click()
    page.get_by_text("How to verify an event").click()
    sees_text(page)
    page.get_by_role("button", name="Delete connector").click()
    sees_text(page)
    client.call("DELETE", f"/{connector}")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_labels_of_a_device_are_text(open_console: Open, client: Client, text: str) -> None:
    device = client.device("temperature", name=text, note=text)
    page = open_console().page
    page.goto(f"/console/projects/{client.project}/devices/{device}")
    expect(page.get_by_role("heading", level=1)).to_have_text(text)
    page.get_by_role("button", name="Edit labels").click()
    expect(page.get_by_label("Value of label 1")).to_have_value(text)
    for width in (1280, 360):
        resize(page, width)
        sees_text(page)
    page.goto(f"/console/projects/{client.project}/devices?query={device}")
    page.get_by_role("row").nth(1).wait_for()
    for width in (1280, 360):
        resize(page, width)
        sees_text(page)
    client.call("DELETE", client.below(f"devices/{device}"))


@pytest.mark.parametrize("kind", ["markup", "template", "long"])
def test_the_name_of_a_service_account_is_text(
    open_console: Open, client: Client, kind: str
) -> None:
    name = TEXTS[kind]
    email, key = client.member_with("roles/project.admin", name)
    account = f"serviceaccounts/{email.partition('@')[0]}"
    # The audit speaks of those who did something.
    Client(client.ready, key).call("PATCH", client.below(account), {"displayName": name + "!"})
    page = open_console().page
    for tab in ("members", "accounts", "audit"):
        page.goto(f"/console/projects/{client.project}/access/{tab}")
        page.get_by_text(name + "!", exact=True).first.wait_for()
        for width in (1280, 360):
            resize(page, width)
            sees_text(page)
    client.call("DELETE", client.below(account))


def test_queries_and_addresses_are_text(open_console: Open, client: Client) -> None:
    page = open_console(width=360).page
    page.goto(f"/console/projects/{client.project}/devices")
    page.get_by_role("searchbox").fill(MARKUP)
    expect(page.get_by_role("heading", name="No device fits")).to_be_visible()
    sees_text(page)
    page.goto(f"/console/projects/{client.project}/devices/%3Cimg%20src=x%3E")
    expect(page.get_by_role("alert")).to_contain_text("is not there")
    sees_text(page)
