"""Access: members, service accounts, keys whose secret is shown once, and the audit log."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.client import Client
from tests.console.conftest import Open, sign_in_with_file


def open_access(open_console: Open, client: Client, tab: str) -> Page:
    page = open_console().page
    page.goto(f"/console/projects/{client.project}/access/{tab}")
    return page


def choose(page: Page, row: str, action: str) -> None:
    """Choose an action in the menu of a row."""
    page.get_by_role("button", name=f"Actions for {row}").click()
    page.get_by_role("button", name=action, exact=True).click()


def test_a_member_is_added_changed_and_removed(open_console: Open, client: Client) -> None:
    page = open_access(open_console, client, "members")
    email = "ola@example.com"
    page.get_by_role("button", name="Add a member").click()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Add member").click()
    row = page.get_by_role("row", name=email)
    expect(row).to_contain_text("Project user")
    expect(row).to_contain_text("Person")
    choose(page, email, "Change roles")
    page.get_by_role("checkbox", name="Project user").uncheck()
    page.get_by_role("checkbox", name="Project developer").check()
    page.get_by_role("button", name="Save roles").click()
    expect(row).to_contain_text("Project developer")
    choose(page, email, "Remove from the project")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(row).to_have_count(0)


def test_an_error_stands_at_the_email_that_it_speaks_of(open_console: Open, client: Client) -> None:
    page = open_access(open_console, client, "members")
    page.get_by_role("button", name="Add a member").click()
    page.get_by_label("Email").fill("nobody")
    page.get_by_role("button", name="Add member").click()
    expect(page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Email")).to_have_value("nobody")


def test_a_key_is_shown_once_works_and_is_revoked(
    open_console: Open, open_window: Open, client: Client, tmp_path: Path
) -> None:
    page = open_access(open_console, client, "accounts")
    page.get_by_role("button", name="New service account").click()
    page.get_by_label("Display name").fill("Made in a browser")
    page.get_by_role("button", name="Create service account").click()
    account = page.get_by_role("region", name="Made in a browser")
    account.get_by_role("button", name="Keys").click()
    expect(account).to_contain_text("It has no key")
    account.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog", name="The new key")
    secret = dialog.get_by_role("region", name="Secret", exact=True).inner_text()
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Credentials file").click()
    download.value.save_as(tmp_path / "credentials.json")
    stored = json.loads((tmp_path / "credentials.json").read_text())["serviceAccount"]
    assert stored["secret"] == secret
    page.keyboard.press("Escape")  # It must not be lost by a slip
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="I have stored it").click()
    expect(account).to_contain_text(stored["keyId"])
    assert secret not in page.content()

    other = open_window().page
    sign_in_with_file(other, tmp_path / "credentials.json")
    expect(other.get_by_text(stored["email"]).first).to_be_attached()

    account.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(account).to_contain_text("It has no key")
    choose(page, "Made in a browser", "Delete")
    page.get_by_label("Type Made in a browser to confirm").fill("Made in a browser")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(account).to_have_count(0)

    page.get_by_role("link", name="Audit").click()
    for text in ("Deleted service account", "Deleted key", "Created key"):
        expect(page.get_by_role("row", name=re.compile(text)).first).to_be_visible()


@pytest.mark.parametrize(
    ("role", "tabs", "offered"),
    [
        ("roles/project.user", ["Members", "Service accounts"], []),
        ("roles/project.developer", ["Members", "Service accounts"], []),
        ("roles/project.admin", ["Members", "Service accounts", "Audit"], ["Add a member"]),
        ("roles/project.publisher", [], []),
    ],
)
def test_what_a_role_forbids_is_not_offered(
    open_window: Open,
    client: Client,
    tmp_path: Path,
    role: str,
    tabs: list[str],
    offered: list[str],
) -> None:
    email, key = client.member_with(role, f"As {role}")
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps({"serviceAccount": {"email": email, **key}}))
    page = open_window().page
    sign_in_with_file(page, file)
    page.goto(f"/console/projects/{client.project}/access")
    if not tabs:
        expect(page.get_by_role("main")).to_contain_text("Your role does not")
        return
    expect(page.get_by_role("row", name=email)).to_be_visible()
    links = page.get_by_role("navigation", name="Access").get_by_role("link")
    assert links.all_inner_texts() == tabs
    for name in ("Add a member", "Actions for"):
        count = page.get_by_role("button", name=name).count()
        assert bool(count) == bool(offered), name
    page.goto(f"/console/projects/{client.project}/access/accounts")
    page.get_by_role("button", name="Keys").first.wait_for()
    assert bool(page.get_by_role("button", name="New service account").count()) == bool(offered)
    page.goto(f"/console/projects/{client.project}/devices")
    page.get_by_role("searchbox").wait_for()
    can_add = role != "roles/project.user"
    expect(page.get_by_role("button", name="New emulated device")).to_have_count(int(can_add))
