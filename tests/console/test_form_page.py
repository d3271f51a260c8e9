"""The list of connectors, making one, changing one, deleting one, and both ways to sign in."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.console.browser import overflow
from tests.console.client import Client
from tests.console.conftest import Open, sign_in_with_file
from tests.console.hook import SECRET
from tests.e2e.conftest import Stack

HOSTILE = "<img src=x onerror=\"document.title='run'\"> {{7*7}} \u202emoc \u202d" + "w" * 200
URL = "https://example.com/events"
TRY_OUT = re.compile(r"^https://[^/]+/try/")

GREEN_MS = 180_000
"""Until an event is delivered and the list has read its timeline, on busy cores."""


@pytest.fixture
def connector(client: Client) -> Iterator[str]:
    """The path of a connector that pushes nowhere, below /v2."""
    body = {
        "displayName": "To edit",
        "status": "USER_DISABLED",
        "httpConfig": {
            "url": URL,
            "signatureSecret": SECRET,
            "headers": {"X-Tenant": "first"},
        },
    }
    name = client.call("POST", client.below("dataconnectors"), body)["name"]
    yield f"/{name}"
    left = client.call("GET", client.below("dataconnectors"))["dataConnectors"]
    if name in [each["name"] for each in left]:
        client.call("DELETE", f"/{name}")


def list_of(client: Client) -> str:
    return f"/console/projects/{client.project}/connectors"


def edit(page: Page, client: Client, connector: str) -> None:
    page.goto(f"{list_of(client)}/{connector.rpartition('/')[2]}/edit")
    page.get_by_label("Endpoint URL").wait_for()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def row_of(page: Page, text: str) -> Locator:
    return page.get_by_role("row").filter(has_text=text)


def test_from_nothing_to_a_green_connector_with_the_try_out_endpoint(
    open_console: Open, client: Client
) -> None:
    for each in client.call("GET", client.below("dataconnectors"))["dataConnectors"]:
        client.call("DELETE", f"/{each['name']}")
    page = open_console().page
    page.goto(list_of(client))
    expect(page.get_by_role("heading", name="No connectors yet")).to_be_visible()
    page.get_by_role("link", name="New connector").click()
    page.get_by_label("Display name").fill("First one")
    page.get_by_role("button", name="Use a try-out endpoint").click()
    expect(page.get_by_label("Endpoint URL")).to_have_value(TRY_OUT)
    page.get_by_role("button", name="Generate").click()
    page.get_by_role("button", name="Create connector").click()
    expect(page.get_by_role("heading", name="First one")).to_be_visible()
    page.get_by_role("link", name="Connectors", exact=True).first.click()
    row = row_of(page, "First one")
    expect(row).to_contain_text("no deliveries yet")
    device = client.device("temperature", name="Of the first connector")
    client.publish(device, "temperature", [(1, {"value": -18.0})])
    expect(row.get_by_text("healthy", exact=True)).to_be_visible(timeout=GREEN_MS)
    expect(row.get_by_role("img", name="1 delivered, 0 errors")).to_be_visible()
    made = client.call("GET", client.below("dataconnectors"))["dataConnectors"][0]
    tried = client.call("GET", client.below("tryouts"))["tryouts"]
    (used,) = [each for each in tried if each["url"] == made["httpConfig"]["url"]]
    deliveries = client.call("GET", f"/{used['name']}")["deliveries"]
    assert [each["isSignatureValid"] for each in deliveries] == [True]
    client.call("DELETE", f"/{made['name']}")
    client.call("DELETE", f"/{used['name']}")
    client.call("DELETE", client.below(f"devices/{device}"))


STATES = {
    "HEALTHY": ("healthy", "good"),
    "FAILING": ("failing", "warn"),
    "OUTAGE": ("in outage", "bad"),
    "PAUSED": ("paused", "accent"),
    "DISABLED": ("disabled", "hollow"),
}


def test_states_have_a_word_and_a_colour_and_the_list_says_what_failed_and_what_is_next(
    open_console: Open, client: Client
) -> None:
    names = {state: client.below(f"dataconnectors/{state.lower()}")[1:] for state in STATES}
    soon = datetime.now(UTC) + timedelta(hours=2, minutes=1)
    error = {"kind": "status", "message": "example.com answered 503", "status": 503}
    health = [
        {
            "name": name,
            "state": state,
            "lastError": {**error, "time": "2026-01-31T12:00:00Z"} if state == "OUTAGE" else None,
            "nextAttemptTime": soon.isoformat() if state == "OUTAGE" else None,
        }
        for state, name in names.items()
    ]
    settings = [
        {"name": name, "displayName": f"Is {state}", "httpConfig": {"url": URL}}
        for state, name in names.items()
    ]
    points = [{"successCount": 40, "errorCount": 1}, {"successCount": 1_200, "errorCount": 0}]
    timelines = [{"connector": name, "points": points} for name in names.values()]
    page = open_console().page
    for path, field, entries in (
        ("**/dataconnectors?*", "dataConnectors", settings),
        ("**/dataconnectors:health?*", "dataConnectorHealth", health),
        ("**/dataconnectors:timeline?*", "timelines", timelines),
    ):
        answer = {field: entries, "nextPageToken": ""}
        page.route(path, partial(answer_with, answer))
    page.goto(list_of(client))
    for state, (word, kind) in STATES.items():
        row = row_of(page, f"Is {state}")
        badge = row.locator(".badge")
        expect(badge).to_have_text(word)
        expect(badge).to_contain_class(kind)
        expect(row.get_by_role("img", name="1,240 delivered, 1 error")).to_be_visible()
    outage = row_of(page, "Is OUTAGE")
    expect(outage).to_contain_text("example.com answered 503")
    expect(outage.get_by_text("in 2 hr.")).to_have_attribute("title", re.compile(r"\d\d:\d\d:\d\d"))


def answer_with(answer: dict[str, Any], route: Route) -> None:
    route.fulfill(json=answer)


def test_all_settings_are_saved_as_they_were_typed(
    open_console: Open, client: Client, connector: str
) -> None:
    page = open_console().page
    edit(page, client, connector)
    page.get_by_label("Display name").fill("Renamed")
    page.get_by_label("Endpoint URL").fill(f"  {URL}/new \t")
    page.get_by_label("Choose types").check()
    save(page)
    expect(page.get_by_text("Choose at least one type")).to_be_visible()
    page.get_by_role("checkbox", name="temperature").first.check()
    page.get_by_label("Add a label's key").fill("room")
    page.get_by_label("Add a label's key").press("Enter")
    page.get_by_role("button", name="Do not include name").click()
    expect(page.get_by_label("Value of X-Tenant", exact=True)).to_have_attribute("type", "password")
    page.get_by_role("button", name="Show the value of X-Tenant").click()
    expect(page.get_by_label("Value of X-Tenant", exact=True)).to_have_attribute("type", "text")
    page.get_by_role("button", name="Add header").click()
    page.get_by_label("Name of header 2").fill("X-More")
    page.get_by_label("Value of X-More", exact=True).fill("second")
    page.get_by_role("button", name="Generate").click()
    page.get_by_label("Also sign by Standard Webhooks").check()
    save(page)
    expect(page.get_by_role("heading", name="Renamed")).to_be_visible()
    saved = client.call("GET", connector)
    http = saved["httpConfig"]
    assert (saved["displayName"], saved["events"], saved["labels"], saved["status"]) == (
        "Renamed",
        ["temperature"],
        ["room"],
        "USER_DISABLED",
    )
    assert http["url"] == f"{URL}/new"
    assert http["headers"] == {"X-Tenant": "first", "X-More": "second"}
    assert http["signatureSecret"].startswith("whsec_")
    assert http["standardWebhooks"]
    assert "previousSecretExpireTime" in http


def test_an_error_of_the_api_stands_at_its_field_and_nothing_is_lost(
    open_console: Open, client: Client, connector: str
) -> None:
    page = open_console().page
    edit(page, client, connector)
    page.get_by_label("Display name").fill("Still here")
    page.get_by_label("Endpoint URL").fill("ftp://example.com")
    save(page)
    field = page.get_by_label("Endpoint URL")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(page.get_by_role("alert").filter(has_text="expected https://")).to_be_visible()
    field.fill(URL)
    page.route("**/v2/projects/*/dataconnectors/*", fail)
    save(page)
    expect(page.get_by_text("It is not saved")).to_be_visible(timeout=60_000)
    expect(page.get_by_label("Display name")).to_have_value("Still here")
    page.unroute("**/v2/projects/*/dataconnectors/*")
    save(page)
    expect(page.get_by_role("heading", name="Still here")).to_be_visible()


def fail(route: Route) -> None:
    if route.request.method == "PATCH":
        route.fulfill(status=503, json={"error": "down"})
    else:
        route.continue_()


def test_a_change_made_elsewhere_is_shown_and_not_overwritten(
    open_console: Open, client: Client, connector: str
) -> None:
    page = open_console().page
    edit(page, client, connector)
    page.get_by_label("Display name").fill("Mine")
    client.call("PATCH", connector, {"displayName": "Theirs", "labels": ["floor"]})
    save(page)
    note = page.locator(".note").filter(has_text="Changed elsewhere meanwhile")
    expect(note).to_contain_text("Theirs")
    expect(page.get_by_label("Labels that are included")).to_contain_text("floor")
    assert client.call("GET", connector)["displayName"] == "Theirs"
    expect(page.get_by_label("Display name")).to_have_value("Mine")
    save(page)
    expect(page.get_by_role("heading", name="Mine")).to_be_visible()
    saved = client.call("GET", connector)
    assert (saved["displayName"], saved["labels"]) == ("Mine", ["floor"])


def test_an_expired_sign_in_asks_again_over_the_form_and_the_form_goes_on(
    open_console: Open, client: Client, stack: Stack, account: dict[str, str], connector: str
) -> None:
    page = open_console().page
    edit(page, client, connector)
    page.get_by_label("Display name").fill("After signing in")
    page.route("**/v2/projects/**", lambda route: route.fulfill(status=401, json={"error": "over"}))
    save(page)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.unroute("**/v2/projects/**")
    dialog.get_by_label("choose a credentials file").set_input_files(stack.ready["credentials"])
    expect(dialog.get_by_label("Key id")).to_have_value(account["keyId"])
    dialog.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="After signing in")).to_be_visible()


def test_leaving_with_something_typed_asks(
    open_console: Open, client: Client, connector: str
) -> None:
    page = open_console().page
    edit(page, client, connector)
    page.get_by_label("Display name").fill("Typed")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_label("Display name")).to_have_value("Typed")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", name="To edit", exact=True)).to_be_visible()
    assert client.call("GET", connector)["displayName"] == "To edit"


def test_deleting_needs_the_name_typed(open_console: Open, client: Client, connector: str) -> None:
    page = open_console().page
    edit(page, client, connector)
    page.get_by_role("button", name="Delete connector").click()
    dialog = page.get_by_role("dialog")
    verb = dialog.get_by_role("button", name="Delete", exact=True)
    expect(verb).to_be_disabled()
    dialog.get_by_role("textbox").fill("To edit")
    verb.click()
    expect(page.get_by_role("heading", name="Connectors", exact=True)).to_be_visible()
    names = [
        each["name"]
        for each in client.call("GET", client.below("dataconnectors"))["dataConnectors"]
    ]
    assert connector.removeprefix("/") not in names


def test_a_name_of_markup_is_text_and_the_list_searches_and_filters(
    open_console: Open, client: Client, connector: str
) -> None:
    client.call(
        "PATCH", connector, {"displayName": HOSTILE.replace("\u202e", "").replace("\u202d", "")}
    )
    page = open_console(width=360).page
    page.goto(list_of(client))
    row = row_of(page, "{{7*7}}")
    expect(row).to_contain_text("disabled")
    assert overflow(page) == 0
    assert page.title() == "Connectors · Data Connectors"
    page.get_by_label("Search").fill("no such")
    expect(page.get_by_role("heading", name="No connector is like that")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("State").select_option(label="disabled")
    expect(row).to_be_visible()
    assert "state=DISABLED" in page.url


def test_who_may_only_look_is_offered_nothing_else(
    open_window: Open, client: Client, connector: str, tmp_path: Path
) -> None:
    email, key = client.member_with("roles/project.user", "Looks at the list")
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps({"serviceAccount": {"email": email, **key}}))
    page = open_window().page
    sign_in_with_file(page, file)
    page.goto(list_of(client))
    row_of(page, "To edit").wait_for()
    expect(page.get_by_role("link", name="New connector")).to_have_count(0)
    page.goto(f"{list_of(client)}/{connector.rpartition('/')[2]}/edit")
    expect(page.get_by_text("Not allowed")).to_be_visible()
    expect(page.get_by_label("Endpoint URL")).to_have_count(0)


def test_the_secret_is_made_shown_copied_explained_and_removed(
    open_console: Open, client: Client, connector: str
) -> None:
    page = open_console().page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    edit(page, client, connector)
    field = page.get_by_label("Signature secret")
    expect(field).to_have_attribute("type", "password")
    page.get_by_role("button", name="Show the secret").click()
    expect(field).to_have_value(SECRET)
    page.get_by_role("button", name="Generate").click()
    secret = field.input_value()
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    expect(page.get_by_label("The secret that it replaces goes on signing")).to_be_visible()
    page.get_by_role("button", name="Copy the secret").click()
    page.wait_for_function(
        "(made) => navigator.clipboard.readText().then((is) => is === made)", arg=secret
    )
    page.get_by_text("How to verify an event").click()
    expect(page.get_by_text(f"For events that are POSTed to {URL}")).to_be_visible()
    code = page.get_by_role("region", name="Code that verifies")
    for language, line in {
        "Python": f'SECRET = "{secret}"',
        "JavaScript": f'const SECRET = "{secret}"',
        "Go": f'"{secret}"',
    }.items():
        page.get_by_role("button", name=language, exact=True).click()
        expect(code).to_contain_text(line)
    page.get_by_role("button", name="Hide the secret").click()
    expect(code).not_to_contain_text(secret)
    page.get_by_role("button", name="Remove the secret").click()
    expect(page.get_by_text("Events will no longer be signed")).to_be_visible()
    expect(page.get_by_text("How to verify an event")).to_have_count(0)
    save(page)
    expect(page.get_by_role("heading", name="To edit", exact=True)).to_be_visible()
    assert client.call("GET", connector)["httpConfig"]["signatureSecret"] == ""


def test_keys_of_labels_that_devices_have_are_offered(
    open_console: Open, client: Client, connector: str
) -> None:
    device = client.device("temperature", name="Offers", cabinet="7")
    page = open_console().page
    edit(page, client, connector)
    page.get_by_role("group", name="Keys that devices have").get_by_role(
        "button", name="cabinet"
    ).click()
    expect(page.get_by_label("Labels that are included")).to_contain_text("cabinet")
    save(page)
    expect(page.get_by_role("heading", name="To edit", exact=True)).to_be_visible()
    assert client.call("GET", connector)["labels"] == ["name", "cabinet"]
    client.call("DELETE", client.below(f"devices/{device}"))


def test_types_of_events_say_what_they_are_and_disabling_what_it_means(
    open_console: Open, client: Client, connector: str
) -> None:
    page = open_console().page
    edit(page, client, connector)
    page.get_by_label("Choose types").check()
    water = page.get_by_role("listitem").filter(has_text="waterPresent")
    expect(water).to_contain_text("It is, or no longer is, in water")
    expect(water.locator("code")).to_have_text('{"state":"NOT_PRESENT"}')
    expect(page.get_by_role("switch")).to_have_accessible_description(
        re.compile("Events that wait in its queue are dropped")
    )


def test_a_command_that_is_copied_has_variables_in_the_place_of_secrets(
    open_console: Open, client: Client, connector: str
) -> None:
    page = open_console().page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    edit(page, client, connector)
    page.get_by_label("Display name").fill("It's renamed")
    page.get_by_label("Value of X-Tenant", exact=True).fill("hidden-value")
    page.get_by_role("button", name="Generate").click()
    secret = page.get_by_label("Signature secret").input_value()
    page.evaluate("() => navigator.clipboard.writeText('')")
    page.get_by_role("button", name="curl this call").click()
    command: str = page.wait_for_function("() => navigator.clipboard.readText()").json_value()
    assert command.startswith("curl -X PATCH 'http")
    assert "update_mask=displayName" in command
    assert """"X-Tenant":"'"$HEADER_1"'\"""" in command
    assert """"signatureSecret":"'"$SIGNATURE_SECRET"'\"""" in command
    assert "hidden-value" not in command
    assert secret not in command
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()


def test_a_person_signs_in_with_the_provider_and_comes_to_the_only_project(
    open_window: Open, client: Client
) -> None:
    window = open_window()
    page = window.page
    page.goto("/console/")
    page.get_by_role("button", name="Continue with single sign-on").click()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Connectors", exact=True)).to_be_visible()
    assert f"/projects/{client.project}/connectors" in page.url
    assert "code=" not in page.url
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    window.forgive("request to")  # That of the provider


def test_a_person_whose_email_is_not_verified_is_told_so(open_window: Open) -> None:
    window = open_window()
    page = window.page
    page.goto("/console/")
    page.get_by_role("button", name="Continue with single sign-on").click()
    page.get_by_label("What is wrong").select_option("unverified")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("verified")
    window.forgive("request to")
