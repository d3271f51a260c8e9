"""Devices: finding them, editing their labels, and their history as plot, table and file."""

import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.client import Client
from tests.console.conftest import Open


def open_device(open_console: Open, client: Client, device: str, query: str = "") -> Page:
    page = open_console().page
    page.goto(f"/console/projects/{client.project}/devices/{device}{query}")
    return page


def test_devices_are_found_by_name_and_type(
    open_console: Open, client: Client, devices: dict[str, str]
) -> None:
    page = open_console().page
    page.goto(f"/console/projects/{client.project}/devices")
    expect(page.get_by_role("link", name="Corridor")).to_be_visible()
    page.get_by_role("searchbox").fill("freez")
    expect(page.get_by_role("link", name="Corridor")).to_have_count(0)
    row = page.get_by_role("row", name="Freezer")
    expect(row).to_contain_text("°C")
    expect(row).to_contain_text("2.04")
    page.get_by_role("combobox", name="Type of device").select_option("motion")
    expect(page.get_by_role("heading", name="No device fits")).to_be_visible()
    page.get_by_role("button", name="Show all devices").click()
    page.get_by_role("link", name="Corridor").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Corridor")


def test_edited_labels_are_saved_and_those_changed_elsewhere_stay(
    open_console: Open, client: Client
) -> None:
    device = client.device("temperature", name="Cellar", shelf="1", wall="north")
    path = client.below(f"devices/{device}")
    page = open_device(open_console, client, device)
    page.get_by_role("button", name="Edit labels").click()
    dialog = page.get_by_role("dialog", name="Edit labels")
    dialog.get_by_label("Value of label 1").fill("Cellar 2")
    dialog.get_by_role("button", name="Remove label 2").click()
    dialog.get_by_role("button", name="Add a label").click()
    dialog.get_by_label("Key of label 3").fill("owner")
    dialog.get_by_label("Value of label 3").fill("Kari")
    client.call("PATCH", f"{path}/labels/wall", {"value": "south"})
    dialog.get_by_text("changed elsewhere meanwhile").wait_for()
    dialog.get_by_role("button", name="Save labels").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("Cellar 2")
    labels = {"name": "Cellar 2", "owner": "Kari", "wall": "south"}
    assert client.call("GET", path)["labels"] == labels


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("name", "name"), "There are two labels name"),
        (("name", ""), "A value has no key"),
        (("name", "x" * 4000), "labels"),
    ],
)
def test_a_label_that_cannot_be_is_refused_and_nothing_typed_is_lost(
    open_console: Open, client: Client, devices: dict[str, str], keys: tuple[str, str], said: str
) -> None:
    page = open_device(open_console, client, devices["button"])
    page.get_by_role("button", name="Edit labels").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add a label").click()
    dialog.get_by_label("Key of label 2").fill(keys[1])
    dialog.get_by_label("Value of label 2").fill("typed")
    dialog.get_by_role("button", name="Save labels").click()
    expect(dialog.get_by_role("alert")).to_contain_text(said)
    expect(dialog.get_by_label("Value of label 2")).to_have_value("typed")


@pytest.mark.parametrize(("days", "events"), [("1", "24 events"), ("31", "691 events")])
def test_history_is_a_plot_with_a_table_beside_it(
    open_console: Open, client: Client, devices: dict[str, str], days: str, events: str
) -> None:
    page = open_device(open_console, client, devices["freezer"], f"?days={days}")
    expect(page.get_by_text(events)).to_be_visible()
    plot = page.get_by_role("img", name="Temperature over")
    expect(plot.locator("canvas")).to_be_visible()
    table = page.get_by_role("region", name="Values")
    expect(table.get_by_role("row").nth(1)).to_contain_text("°C")
    plot.hover()
    expect(plot.locator(".plot-bubble")).to_contain_text("°C")


def test_states_have_words_in_table_and_plot(
    open_console: Open, client: Client, devices: dict[str, str]
) -> None:
    page = open_device(open_console, client, devices["corridor"])
    expect(page.get_by_role("region", name="Values")).to_contain_text("No motion detected")
    expect(page.get_by_role("img", name="last motion detected")).to_be_visible()
    page = open_device(open_console, client, devices["button"])
    expect(page.get_by_role("region", name="Values")).to_contain_text("Touched")


def test_a_device_without_events_says_so(open_console: Open, client: Client) -> None:
    page = open_device(open_console, client, client.device("humidity", name="New"))
    expect(page.get_by_role("heading", name="No history yet")).to_be_visible()


def test_files_have_the_events_that_the_api_has(
    open_console: Open, client: Client, devices: dict[str, str], tmp_path: Path
) -> None:
    page = open_device(open_console, client, devices["room"])
    listed = client.call("GET", client.below(f"devices/{devices['room']}/events?eventTypes=co2"))
    for button, name in (("JSON lines", "events.jsonl"), ("CSV", "events.csv")):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        download.value.save_as(tmp_path / name)
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    # The day began a moment earlier for one of them than for the other.
    assert list(map(json.loads, lines))[:140] == listed["events"][:140]
    with (tmp_path / "events.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["eventId"] for row in rows][:140] == [
        event["eventId"] for event in listed["events"][:140]
    ]
    assert rows[0]["ppm"] == str(listed["events"][0]["data"]["co2"]["ppm"])
    assert rows[0]["timestamp"] == listed["events"][0]["timestamp"]


def test_an_emulated_device_is_made(open_console: Open, client: Client) -> None:
    page = open_console().page
    page.goto(f"/console/projects/{client.project}/devices")
    page.get_by_role("button", name="New emulated device").click()
    page.get_by_role("textbox", name="Name optional").fill("From the page")
    page.get_by_role("combobox", name="Type", exact=True).select_option("co2")
    page.get_by_role("button", name="Create device").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("From the page")
