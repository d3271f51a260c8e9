"""GET {connector}/expired lists expired events, newest first, also of a deleted connector."""

import time
from dataclasses import replace

import pytest

from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.expired_events import ExpiredEventStore
from functions.ingest import app as ingest
from tests.integration.conftest import Client
from tests.integration.test_ingest import connect
from tests.support.rows import an_expired


@pytest.fixture
def connector(client: Client) -> str:
    """The path of a connector with five expired events, of which e0 is the newest."""
    path = connect(client, httpConfig={"url": "https://127.0.0.1/hook"})
    now = float(int(time.time()))
    target = f"projects/{client.project}/devices/d"
    newest = an_expired(f"projects/{client.project}{path}", now, target=target)
    events = [
        replace(newest, event_id=f"e{number}", accepted_at=newest.accepted_at - number)
        for number in range(5)
    ]
    assert len(ExpiredEventStore(ingest.table).save(events)) == 5
    return path


def test_an_expired_event_says_what_happened(client: Client, connector: str) -> None:
    status, answer = client.call("GET", f"{connector}/expired")
    assert status == 200
    first = answer["expiredEvents"][0]
    assert first.pop("acceptedTime") < first.pop("expiredTime")
    assert first == {
        "eventId": "e0",
        "eventType": "touch",
        "targetName": f"projects/{client.project}/devices/d",
        "attempts": 20,
        "lastError": {"kind": "status", "message": "example.com answered 503", "status": 503},
    }


def test_pages_lead_from_the_newest_to_the_oldest(client: Client, connector: str) -> None:
    ids, token = [], ""
    for _ in range(3):
        query = f"pageSize=2&pageToken={token}"
        status, answer = client.call("GET", f"{connector}/expired", query=query)
        assert status == 200
        ids += [event["eventId"] for event in answer["expiredEvents"]]
        token = answer["nextPageToken"]
    assert (ids, token) == (["e0", "e1", "e2", "e3", "e4"], "")


@pytest.mark.parametrize("query", ["pageToken=nonsense", "pageSize=-1", "pageSize=x"])
def test_an_invalid_page_is_refused(client: Client, connector: str, query: str) -> None:
    assert client.call("GET", f"{connector}/expired", query=query)[0] == 400


def test_the_list_is_empty_without_expired_events_and_404_without_a_connector(
    client: Client,
) -> None:
    path = connect(client, httpConfig={"url": "https://127.0.0.1/hook"})
    answer = {"expiredEvents": [], "nextPageToken": ""}
    assert client.call("GET", f"{path}/expired") == (200, answer)
    assert client.call("GET", "/dataconnectors/c00000000000000000vg/expired")[0] == 404


def test_expired_events_can_be_read_after_the_connector_is_deleted(
    client: Client, connector: str
) -> None:
    assert client.call("DELETE", connector)[0] == 200
    store = ConnectorStore(ingest.table)
    (row,) = store.connectors(client.project)
    assert store.remove(row)
    assert client.call("GET", connector)[0] == 404
    status, answer = client.call("GET", f"{connector}/expired")
    assert (status, len(answer["expiredEvents"])) == (200, 5)
