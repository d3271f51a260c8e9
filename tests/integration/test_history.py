"""A device's history, from the publish call to the request that reads it."""

import time
from typing import Any

import boto3
import pytest

from dataconnectors.identity import roles
from dataconnectors.kernel import times
from functions.ingest import app as ingest
from tests.integration.conftest import Client
from tests.support.dynamodb import Watched, fail


def envelope(client: Client, event_id: str, age: float = 0, device: str = "d1") -> dict[str, Any]:
    stamp = times.to_text(time.time() - age)
    return {
        "eventId": event_id,
        "targetName": f"projects/{client.project}/devices/{device}",
        "eventType": "temperature",
        "data": {"temperature": {"value": 24.0, "updateTime": stamp}},
        "timestamp": stamp,
    }


def publish(client: Client, *events: dict[str, Any]) -> None:
    status, answer = client.call("POST", "/events", {"events": list(events)})
    assert (status, answer["accepted"]) == (200, len(events)), answer


def history(client: Client, query: str = "", device: str = "d1") -> list[dict[str, Any]]:
    """The events on all pages, which are followed as by the SDK."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        joined = "&".join(part for part in (query, f"pageToken={token}" if token else "") if part)
        status, answer = client.call("GET", f"/devices/{device}/events", query=joined)
        assert status == 200, answer
        found += answer["events"]
        token = answer["nextPageToken"]
        if not token:
            return found


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["eventId"] for event in events]


def test_an_event_is_read_back_as_it_is_delivered(client: Client) -> None:
    given = envelope(client, "e1")
    publish(client, given)
    (event,) = history(client)
    assert list(event) == ["eventId", "targetName", "eventType", "data", "timestamp"]
    assert event | {"data": given["data"]} == given
    assert event["data"]["temperature"]["samples"][0]["value"] == 24


def test_history_has_the_events_that_came_while_a_connector_was_disabled(client: Client) -> None:
    connector = {"httpConfig": {"url": "https://example.com/"}, "status": "USER_DISABLED"}
    assert client.call("POST", "/dataconnectors", connector)[0] == 200
    publish(client, envelope(client, "e1"))
    assert ids(history(client)) == ["e1"]


def test_history_is_read_with_pages_filters_and_offsets(client: Client) -> None:
    publish(client, *(envelope(client, f"e{n}", age=3600 * n) for n in range(30)))
    assert ids(history(client)) == [f"e{n}" for n in range(24)]
    assert ids(history(client, "pageSize=7")) == [f"e{n}" for n in range(24)]
    start = times.to_text(time.time() - 86400 * 2).replace("Z", "%2B00:00")
    assert len(history(client, f"startTime={start}&page_size=11")) == 30
    assert history(client, f"startTime={start}&eventTypes=touch") == []


def test_expired_history_is_not_shown_although_the_table_still_has_it(client: Client) -> None:
    """DynamoDB deletes expired items after some days, and not at once."""
    publish(client, envelope(client, "old", age=31 * 86400 - 2), envelope(client, "new"))
    assert ids(history(client, "startTime=2020-01-01T00:00:00Z")) == ["new", "old"]
    time.sleep(2.1)
    assert ids(history(client, "startTime=2020-01-01T00:00:00Z")) == ["new"]


def test_history_is_empty_without_events_and_404_without_the_device(client: Client) -> None:
    made = client.call("POST", "/devices", {"type": "touch"})[1]
    assert history(client, device=made["name"].rsplit("/", 1)[1]) == []
    assert client.call("GET", "/devices/nobody/events")[0] == 404
    assert client.call("GET", "/devices/a%20b/events")[0] == 404


def test_reading_history_needs_the_users_role(client: Client) -> None:
    publish(client, envelope(client, "e1"))
    assert client.account_with(roles.PUBLISHER).call("GET", "/devices/d1/events")[0] == 403
    client.headers = {}
    assert client.call("GET", "/devices/d1/events")[0] == 401


def test_the_history_of_a_foreign_project_is_not_found(client: Client) -> None:
    client.project = "c0000000000000000000"
    assert client.call("GET", "/devices/d1/events")[0] == 404


@pytest.mark.parametrize("query", ["startTime=x", "pageToken=x", "pageSize=x", "eventTypes=x"])
def test_a_wrong_query_is_a_400_that_names_the_field(client: Client, query: str) -> None:
    status, error = client.call("GET", "/devices/d1/events", query=query)
    assert status == 400
    assert error["error"].startswith(query.partition("=")[0])


def test_an_event_that_history_does_not_confirm_is_neither_accepted_nor_sent(
    client: Client,
) -> None:
    watched = Watched(ingest.table.dynamodb)
    watched.answers["batch_write_item"] = [fail("InternalServerError")]
    ingest.table.dynamodb = watched
    try:
        body = {"events": [{}, envelope(client, "e1")]}
        status, error = client.call("POST", "/events", body)
    finally:
        ingest.table.dynamodb = watched.client
    assert status == 503
    assert error["accepted"] == 0
    assert "history" in error["errors"][1]["error"]
    assert error["errors"][1]["index"] == 1
    publish(client, envelope(client, "e1"))
    assert ids(history(client)) == ["e1"]


def test_a_projects_writes_are_spread_over_partitions(client: Client) -> None:
    publish(client, *(envelope(client, f"e{n}", device=f"d{n}") for n in range(100)))
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName="dc-test-table")
    written: dict[str, int] = {}
    for item in (item for page in pages for item in page["Items"] if "event" in item):
        if client.project in item["pk"]["S"]:
            written[item["pk"]["S"]] = written.get(item["pk"]["S"], 0) + 1
    assert len(written) == 100 + 16
    assert max(written.values()) < 20
