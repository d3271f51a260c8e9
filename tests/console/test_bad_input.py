"""Text from outside is text: markup, templates, right-to-left marks and 4,000 characters."""

import pytest
from playwright.sync_api import expect

from tests.console.browser import overflow
from tests.console.client import Client
from tests.console.conftest import Open

MARKUP = "<img src=x onerror=\"document.title='run'\"><b>bold</b>"
TEMPLATE = "{{7*7}} ${7*7} <%= 7*7 %>"
BACKWARDS = "\u202emoc.live\u202d\u2067abc"
LONG = "w" * 250
"""Characters without a place to break: as many as a label may have."""

TEXTS = {"markup": MARKUP, "template": TEMPLATE, "backwards": BACKWARDS, "long": LONG}


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_labels_of_a_device_are_text(
    open_console: Open, client: Client, text: str, width: int
) -> None:
    device = client.device("temperature", name=text, note=text)
    page = open_console(width=width).page
    page.goto(f"/console/projects/{client.project}/devices/{device}")
    expect(page.get_by_role("heading", level=1)).to_have_text(text)
    assert overflow(page) == 0
    assert page.locator("main img, main b").count() == 0
    page.get_by_role("button", name="Edit labels").click()
    expect(page.get_by_label("Value of label 1")).to_have_value(text)
    assert overflow(page) == 0
    page.goto(f"/console/projects/{client.project}/devices?query={device}")
    page.get_by_role("row").nth(1).wait_for()
    assert overflow(page) == 0
    assert "run" not in page.title()
    client.call("DELETE", client.below(f"devices/{device}"))


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("kind", ["markup", "template", "long"])
def test_the_name_of_a_service_account_is_text(
    open_console: Open, client: Client, kind: str, width: int
) -> None:
    name = TEXTS[kind]
    email, key = client.member_with("roles/project.admin", name)
    account = f"serviceaccounts/{email.partition('@')[0]}"
    # The audit speaks of those who did something.
    Client(client.ready, key).call("PATCH", client.below(account), {"displayName": name + "!"})
    page = open_console(width=width).page
    for tab in ("members", "accounts", "audit"):
        page.goto(f"/console/projects/{client.project}/access/{tab}")
        page.get_by_text(name + "!", exact=True).first.wait_for()
        assert overflow(page) == 0
        assert page.locator("main img, main b").count() == 0
    client.call("DELETE", client.below(account))


LONGEST = "x" * 4_000


@pytest.mark.parametrize(
    ("path", "button", "field", "submit"),
    [
        ("devices", "New emulated device", "Name optional", "Create device"),
        ("access/members", "Add a member", "Email", "Add member"),
        ("access/accounts", "New service account", "Display name", "Create service account"),
    ],
)
@pytest.mark.parametrize(
    "text", [LONGEST, MARKUP * 75, "\u202e" * 4_000], ids=["x", "markup", "rtl"]
)
def test_4000_characters_are_refused_and_kept_and_the_layout_stays(
    open_console: Open, client: Client, path: str, button: str, field: str, submit: str, text: str
) -> None:
    page = open_console(width=360).page
    page.goto(f"/console/projects/{client.project}/{path}")
    page.get_by_role("button", name=button).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name=field).fill(text)
    dialog.get_by_role("button", name=submit).click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    expect(dialog.get_by_role("textbox", name=field)).to_have_value(text)
    assert overflow(page) == 0
    assert dialog.evaluate("(each) => each.scrollWidth <= each.clientWidth")


def test_queries_and_addresses_are_text(open_console: Open, client: Client) -> None:
    page = open_console(width=360).page
    page.goto(f"/console/projects/{client.project}/devices")
    page.get_by_role("searchbox").fill(MARKUP)
    expect(page.get_by_role("heading", name="No device fits")).to_be_visible()
    page.goto(f"/console/projects/{client.project}/devices/%3Cimg%20src=x%3E")
    expect(page.get_by_role("alert")).to_contain_text("is not there")
    assert overflow(page) == 0
    assert page.locator("main img").count() == 0
