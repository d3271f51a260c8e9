"""A connector's attempt counts, from the sender's writes to the metrics that the API shows."""

import os
import time
from typing import Any

import boto3
import pytest

from dataconnectors.delivery.attempt_counts import AttemptCounts
from dataconnectors.delivery.outcome_counts import counts_of
from dataconnectors.endpoints.outcomes import Delivered, Failed, FailureKind
from dataconnectors.kernel import times
from dataconnectors.store import keys
from dataconnectors.store.attempt_counts import (
    EXPIRE_SECONDS,
    LAST_SUCCESS_MINUTES,
    WINDOW_MINUTES,
    AttemptCountStore,
)
from dataconnectors.store.table import Table
from tests.integration.conftest import Client

NOW = 1_790_000_030.0
NAME = "projects/p/dataconnectors/c"
BATCH = counts_of(
    [Delivered(200, 0.1), Delivered(200, 0.2), Failed(FailureKind.STATUS, "", 0.4, 500)]
)


@pytest.fixture
def table() -> Table:
    return Table(boto3.client("dynamodb"), os.environ["TABLE_NAME"])


def test_the_counts_that_senders_add_are_read_back(table: Table) -> None:
    for shard in range(keys.ATTEMPT_COUNT_SHARDS):
        AttemptCountStore(table, shard).add(NAME, BATCH, NOW)
        AttemptCountStore(table, shard).add(NAME, BATCH, NOW + 61)
    other = NAME + "c"
    AttemptCountStore(table, 0).add(other, BATCH, NOW)
    found = AttemptCountStore(table).recent(NAME, NOW + 61)
    assert (found.successes, found.errors) == (32, 16)
    assert found.percentile(99) == pytest.approx(0.4, rel=0.05)
    assert AttemptCountStore(table).recent(other, NOW) == BATCH
    assert AttemptCountStore(table).recent("projects/p/dataconnectors/none", NOW) == AttemptCounts()


def test_counts_older_than_three_hours_are_not_shown_and_expire_later(table: Table) -> None:
    store = AttemptCountStore(table)
    name = "projects/p/dataconnectors/old"
    start = NOW // 60 * 60
    store.add(name, BATCH, start)
    assert store.recent(name, start + WINDOW_MINUTES * 60 - 1) == BATCH
    assert store.recent(name, start + WINDOW_MINUTES * 60) == AttemptCounts()
    item: dict[str, Any] = table.get(keys.attempt_counts_key(name, 0, int(start // 60))) or {}
    assert int(item["expiresAt"]["N"]) == start + EXPIRE_SECONDS


FAILED = counts_of([Failed(FailureKind.STATUS, "", 0.4, 500)])


def test_the_last_success_is_found_for_a_day(table: Table) -> None:
    name = "projects/p/dataconnectors/last"
    start = NOW // 60 * 60
    assert AttemptCountStore(table).last_success(name, start) is None
    AttemptCountStore(table, 1).add(name, BATCH, start - 600)
    AttemptCountStore(table, 2).add(name, BATCH, start)
    # A day of canaries is more than a page of each shard.
    for minute in range(1, 300):
        AttemptCountStore(table, 2).add(name, FAILED, start + minute * 60)
    day = LAST_SUCCESS_MINUTES * 60
    for now, since in (
        (start + 30, None),
        (start + day - 60, None),
        (start + day - 60, start + 70),
    ):
        assert AttemptCountStore(table).last_success(name, now, since=since) == start
    assert AttemptCountStore(table).last_success(name, start + day) is None
    # What was there before it has failed is asked for, and nothing else.
    assert AttemptCountStore(table).last_success(name, start + 60, since=start - 500) == start - 600
    item: dict[str, Any] = table.get(keys.attempt_counts_key(name, 2, int(start // 60))) or {}
    assert int(item["expiresAt"]["N"]) > start + day


def test_three_hours_of_counts_for_every_minute_fit_one_page(table: Table) -> None:
    store = AttemptCountStore(table)
    name = "projects/p/dataconnectors/busy"
    for minute in range(WINDOW_MINUTES + 2):
        store.add(name, BATCH, NOW + minute * 60)
    found = store.recent(name, NOW + (WINDOW_MINUTES + 1) * 60)
    assert found.successes == 2 * WINDOW_MINUTES


def test_the_api_shows_the_counts_of_a_connector(client: Client) -> None:
    made = client.call("POST", "/dataconnectors", {"httpConfig": {"url": "https://example.com/"}})
    name = made[1]["name"]
    path = name.removeprefix(f"projects/{client.project}")
    nothing = {"successCount": 0, "errorCount": 0, "latency99p": "0s"}
    assert client.call("GET", path + ":metrics") == (200, {"metrics": nothing})
    table = Table(boto3.client("dynamodb"), os.environ["TABLE_NAME"])
    AttemptCountStore(table, 3).add(name, BATCH, time.time())
    status, shown = client.call("GET", path + "%3Ametrics")
    assert status == 200
    latency = shown["metrics"].pop("latency99p")
    assert shown == {"metrics": {"successCount": 2, "errorCount": 1}}
    assert latency.endswith("s")
    assert float(latency[:-1]) == pytest.approx(0.4, rel=0.05)
    assert client.call("GET", "/dataconnectors/absent:metrics")[0] == 404


def test_the_timeline_has_the_attempts_of_three_hours_in_steps(client: Client) -> None:
    made = [
        client.call("POST", "/dataconnectors", {"httpConfig": {"url": f"https://{x}.example/"}})
        for x in "ab"
    ]
    names = [answer["name"] for _, answer in made]
    table = Table(boto3.client("dynamodb"), os.environ["TABLE_NAME"])
    now = time.time()
    for ago in (0, 2 * 3600, 2 * 3600, 4 * 3600):
        AttemptCountStore(table, ago % 7).add(names[0], BATCH, now - ago)
    path = names[0].removeprefix(f"projects/{client.project}")
    status, shown = client.call("GET", path + ":timeline")
    assert status == 200
    points = shown["points"]
    assert (shown["connector"], shown["stepSeconds"], len(points)) == (names[0], 300, 36)
    starts = [times.from_text(point["time"]) for point in points]
    assert starts == [starts[0] + 300 * place for place in range(36)]
    assert (shown["from"], points[0]["time"]) == (points[0]["time"], shown["from"])
    assert starts[-1] <= now < times.from_text(shown["to"]) == starts[-1] + 300
    counted = {
        start: (point["successCount"], point["errorCount"])
        for start, point in zip(starts, points, strict=True)
        if point["errorCount"]
    }
    step = now // 300 * 300
    assert counted == {step: (2, 1), step - 7200: (4, 2)}
    assert points[-1]["latencyP99"] == pytest.approx(400, rel=0.05)
    assert points[-1]["latencyP50"] == pytest.approx(200, rel=0.05)
    assert [points[1][f"latencyP{percent}"] for percent in (50, 95, 99)] == [None] * 3
    status, listed = client.call("GET", "/dataconnectors:timeline")
    assert status == 200
    assert [each["connector"] for each in listed["timelines"]] == sorted(names)
    assert listed["nextPageToken"] == ""
    (of_first,) = (each for each in listed["timelines"] if each["connector"] == names[0])
    without = {"time", "successCount", "errorCount"}
    assert of_first["points"] == [{name: point[name] for name in without} for point in points]
    page = client.call("GET", "/dataconnectors:timeline", query="pageSize=1")[1]
    assert (len(page["timelines"]), page["nextPageToken"] != "") == (1, True)
