"""GET {connector}/gaps lists what an endpoint never got, with the replay that fills each gap."""

import time
from dataclasses import replace

import pytest

from dataconnectors.kernel import times
from dataconnectors.services import gaps
from dataconnectors.store.expired_events import ExpiredEventStore
from functions.config_api import app as config_api
from tests.integration.conftest import Client
from tests.integration.test_ingest import connect
from tests.integration.test_replay import Runs, publish, runs  # noqa: F401  # a fixture
from tests.integration.test_sync import invocations  # noqa: F401  # a fixture
from tests.support.rows import an_expired

HOUR = 3600


def expire(client: Client, path: str, *accepted_ago: float, event_id: str = "e") -> None:
    """Save records of events that were accepted so many seconds ago."""
    now = float(int(time.time()))
    name = f"projects/{client.project}{path}"
    plain = an_expired(name, now, target=f"projects/{client.project}/devices/d0")
    records = [
        replace(
            plain,
            event_id=f"{event_id}{number}",
            accepted_at=now - ago,
            event_time=now - ago,
        )
        for number, ago in enumerate(accepted_ago)
    ]
    assert len(ExpiredEventStore(config_api.table).save(records)) == len(records)


def test_the_replay_of_a_gap_sends_what_expired(client: Client, runs: Runs) -> None:  # noqa: F811
    path = connect(client)
    published = publish(client, 20, 2, age=13 * HOUR)
    runs.deliver()
    events = [
        event
        for device in ("d0", "d1")
        for event in client.call(
            "GET", f"/devices/{device}/events", query="startTime=2026-01-01T00:00:00Z"
        )[1]["events"]
    ]
    assert len(events) == len(published)
    touches = [event for event in events if event["eventType"] == "touch"][2:7]
    now = time.time()
    plain = an_expired(f"projects/{client.project}{path}", now)
    ExpiredEventStore(config_api.table).save(
        [
            replace(
                plain,
                event_id=event["eventId"],
                target=event["targetName"],
                accepted_at=now - 12 * HOUR,
                event_time=times.from_text(event["timestamp"]),
            )
            for event in touches
        ]
    )
    runs.arrived()
    (gap,) = client.call("GET", f"{path}/gaps")[1]["gaps"]
    assert (gap["reason"], gap["count"]) == ("EXPIRED", 5)
    assert client.call("POST", f"{path}:replay", gap["replay"])[0] == 200
    assert [report["outcome"] for report in runs.once()] == ["SUCCEEDED"]
    assert set(runs.arrived()) == {event["eventId"] for event in touches}


def test_gaps_come_in_pages_the_newest_first(client: Client) -> None:
    path = connect(client)
    expire(client, path, *(hours * HOUR for hours in (13, 13.5, 20, 30, 30.2, 30.9, 40)))
    whole = client.call("GET", f"{path}/gaps")[1]
    assert [gap["count"] for gap in whole["gaps"]] == [2, 1, 3, 1]
    assert whole["nextPageToken"] == ""
    seen, token = [], ""
    for _ in range(4):
        status, answer = client.call("GET", f"{path}/gaps", query=f"pageSize=1&pageToken={token}")
        assert status == 200
        seen += answer["gaps"]
        token = answer["nextPageToken"]
    assert (seen, token) == (whole["gaps"], "")


def test_a_page_that_read_enough_ends_within_a_gap(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = connect(client)
    expire(client, path, *(13 * HOUR + second for second in range(7)))
    monkeypatch.setattr(gaps, "RECORDS_OF_QUERY", 2)
    monkeypatch.setattr(gaps, "MAXIMUM_RECORDS", 4)
    first = client.call("GET", f"{path}/gaps")[1]
    second = client.call("GET", f"{path}/gaps", query=f"pageToken={first['nextPageToken']}")[1]
    assert [gap["count"] for gap in first["gaps"] + second["gaps"]] == [4, 3]


def test_the_list_is_empty_without_gaps_and_404_without_a_connector(client: Client) -> None:
    path = connect(client)
    assert client.call("GET", f"{path}/gaps") == (200, {"gaps": [], "nextPageToken": ""})
    assert client.call("GET", "/dataconnectors/c00000000000000000vg/gaps")[0] == 404


def test_without_history_no_replay_fills_a_gap(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = connect(client)
    expire(client, path, 13 * HOUR)
    assert client.call("GET", f"{path}/gaps")[1]["gaps"][0]["replay"] is not None
    monkeypatch.setattr(config_api.gap_service, "_keeps_history", False)
    assert client.call("GET", f"{path}/gaps")[1]["gaps"][0]["replay"] is None


@pytest.mark.parametrize("query", ["pageToken=nonsense", "pageSize=-1", "pageSize=x"])
def test_an_invalid_page_is_refused(client: Client, query: str) -> None:
    assert client.call("GET", f"{connect(client)}/gaps", query=query)[0] == 400
