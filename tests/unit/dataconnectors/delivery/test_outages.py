"""What the sender does in an outage and during a pause: who is attempted, held, written down."""

from dataclasses import replace

import pytest

from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.failing import Failing
from dataconnectors.delivery.received import ReceivedMessage
from dataconnectors.events.message import TEST
from dataconnectors.expiry.expired_event import LAST_ATTEMPT_AGE
from tests.support.sender_bench import CONNECTOR, NAME, NOW, THROTTLED, SenderBench, received

FAILING = Failing(NOW - 20, NOW - 1, "status", "answered 500", 500, NOW - 30, NOW - 20, 99)
OUTAGE = FAILING._replace(since=NOW - 9000, window=NOW - 7200, failures=100, watched=True)
AGE = 4000.0


def old(event_ids: str, age: float = AGE) -> list[ReceivedMessage]:
    return [received(event_id, receive_count=12, age=age) for event_id in event_ids]


def test_a_connector_that_works_writes_nothing(bench: SenderBench) -> None:
    assert bench.send(*map(received, "abc")) == set()
    assert bench.failing_connectors.calls == 0


def test_one_write_a_batch_counts_its_failures(bench: SenderBench) -> None:
    bench.answers = dict.fromkeys("abc", 503)
    bench.send(*map(received, "abc"))
    assert bench.failing_connectors.calls == 1
    failing = bench.failing_connectors.by_connector[NAME]
    assert (failing.failures, failing.status, failing.window) == (3, 503, NOW)
    assert failing.oldest == NOW - 0.5


def test_a_success_outweighs_the_failures_of_its_batch(bench: SenderBench) -> None:
    bench.answers = dict.fromkeys("ab", 503)
    bench.send(*map(received, "abc"))
    assert bench.failing_connectors.calls == 0
    bench.failing_connectors.by_connector[NAME] = FAILING
    bench.send(*map(received, "abc"))
    assert bench.failing_connectors.by_connector == {}


def test_before_the_hundredth_failure_every_event_is_attempted(bench: SenderBench) -> None:
    bench.failing_connectors.by_connector[NAME] = FAILING
    bench.answers = dict.fromkeys("abc", 503)
    assert bench.send(*map(received, "abc")) == set("abc")
    assert sorted(bench.posted) == ["a", "b", "c"]
    assert bench.sqs.visibility == dict.fromkeys("abc", 8)
    assert bench.failing_connectors.by_connector[NAME].failures == 102


def test_in_an_outage_one_event_is_attempted_and_the_others_are_held(bench: SenderBench) -> None:
    bench.failing_connectors.by_connector[NAME] = OUTAGE
    bench.answers = dict.fromkeys("abc", 503)
    assert bench.send(*old("abc")) == set("abc")
    assert bench.posted == ["a"]
    assert len(bench.failing_connectors.claims) == 1
    assert bench.failing_connectors.by_connector[NAME].canary_at == NOW + 60
    assert {150 <= bench.sqs.visibility[event_id] <= 305 for event_id in "bc"} == {True}
    assert bench.sqs.visibility["a"] == 65
    assert (bench.lines("delivery.batch")[0]["held"], len(bench.attempts)) == (2, 1)
    # The canary has failed, and the next one is not due yet.
    assert bench.send(*old("de")) == set("de")
    assert bench.posted == ["a"]
    assert bench.attempt_counters.calls == 1


def test_no_canary_starts_beside_another(bench: SenderBench) -> None:
    bench.failing_connectors.by_connector[NAME] = OUTAGE
    bench.failing_connectors.taken = True
    assert bench.send(*old("abc")) == set("abc")
    assert bench.posted == []
    assert bench.failing_connectors.by_connector[NAME] == OUTAGE
    assert bench.failing_connectors.calls == 1


def test_a_canary_that_ends_late_leaves_the_claim_of_another_alone(bench: SenderBench) -> None:
    """Another process, whose clock is far ahead, has seen the lease end."""
    young = OUTAGE._replace(window=NOW - 80)
    theirs = young._replace(canary_at=NOW + 110)
    bench.failing_connectors.by_connector[NAME] = young
    bench.before_post = lambda _: bench.failing_connectors.by_connector.update({NAME: theirs})
    bench.answers = {"a": 503}
    assert bench.send(*old("ab")) == set("ab")
    assert bench.posted == ["a"]
    assert bench.failing_connectors.by_connector[NAME] == theirs


def test_a_canary_that_cannot_be_claimed_is_held(bench: SenderBench) -> None:
    bench.failing_connectors.by_connector[NAME] = OUTAGE
    bench.failing_connectors.error = THROTTLED
    assert bench.send(*old("ab")) == set("ab")
    assert bench.posted == []
    assert bench.sqs.visibility.keys() == {"a", "b"}
    assert len(bench.lines("outage.canary_not_claimed")) == 1


def test_the_first_success_ends_the_outage(bench: SenderBench) -> None:
    bench.failing_connectors.by_connector[NAME] = OUTAGE
    assert bench.send(*old("abc")) == set("bc")
    assert bench.failing_connectors.by_connector == {}
    assert bench.lines("outage.ended") == [{"connector": NAME, "seconds": 7200}]
    assert bench.send(*old("bc")) == set()
    assert sorted(bench.posted) == ["a", "b", "c"]


def test_a_slow_endpoint_gets_its_canary_back_after_four_times_its_time(bench: SenderBench) -> None:
    young = OUTAGE._replace(window=NOW - 30)
    bench.failing_connectors.by_connector[NAME] = young
    bench.answers, bench.response_times = {"a": 503}, {"a": 9.0}
    bench.send(*old("a"))
    assert bench.sqs.visibility == {"a": 36}


@pytest.mark.parametrize(
    ("outage", "receives", "age", "seconds"),
    [(30, 1, 0.5, 13), (30, 12, 4000, 13), (240, 12, 4000, 35), (7200, 1, 0.5, 65)],
)
def test_a_canary_comes_back_when_the_next_is_due_even_if_no_other_event_does(
    bench: SenderBench, outage: float, receives: int, age: float, seconds: int
) -> None:
    """Its own back-off and the hold of the others are longer, or too short to be the next one."""
    bench.failing_connectors.by_connector[NAME] = OUTAGE._replace(window=NOW - outage)
    bench.answers, bench.response_times = {"a": 503}, {"a": 2.0}
    bench.send(received("a", receive_count=receives, age=age))
    assert bench.sqs.visibility == {"a": seconds}
    due = bench.failing_connectors.by_connector[NAME].canary_at
    assert bench.now() + bench.sqs.visibility["a"] >= due
    bench.elapsed += seconds
    bench.answers = {}
    assert bench.send(received("a", receive_count=receives + 1, age=age + 2 + seconds)) == set()


def test_evidence_that_cannot_be_written_costs_nothing_else(bench: SenderBench) -> None:
    bench.failing_connectors.error = THROTTLED
    bench.answers = {"a": 503}
    assert bench.send(received("a"), received("b", connector=NAME)) == {"a"}
    bench.answers = {"b": 503}
    assert bench.send(received("b")) == {"b"}
    assert bench.sqs.visibility == {"a": 8, "b": 8}
    assert bench.lines("outage.not_noted") == [
        {
            "connector": NAME,
            "error": "ClientError: An error occurred (Throttling) when calling "
            "the Any operation: slow down",
        }
    ]


@pytest.mark.parametrize(
    ("connector", "failing", "kind", "status", "words"),
    [
        (CONNECTOR, OUTAGE, "status", 500, "answered 500"),
        (replace(CONNECTOR, paused_at=NOW - 9000), None, "untried", None, "paused"),
        (replace(CONNECTOR, paused_at=NOW - 9000), OUTAGE, "untried", None, "paused"),
    ],
)
def test_an_event_that_is_held_to_its_end_is_recorded(
    bench: SenderBench,
    connector: Connector,
    failing: Failing | None,
    kind: str,
    status: int | None,
    words: str,
) -> None:
    bench.connectors[NAME] = connector
    if failing is not None:
        held = failing._replace(canary_at=NOW + 60)
        bench.failing_connectors.by_connector[NAME] = held
    ages = {"a": LAST_ATTEMPT_AGE - 16, "b": LAST_ATTEMPT_AGE - 14, "c": LAST_ATTEMPT_AGE + 5}
    batch = [received(each, receive_count=40, age=age) for each, age in ages.items()]
    assert bench.send(*batch) == {"a"}
    assert (bench.posted, bench.sqs.visibility) == ([], {"a": 1})
    for event_id in "bc":
        record = bench.expired_events.saved[event_id]
        assert (record.kind, record.status, record.attempts) == (kind, status, 40)
        assert words in record.message


def test_a_record_that_cannot_be_saved_keeps_its_event(bench: SenderBench) -> None:
    bench.failing_connectors.by_connector[NAME] = OUTAGE._replace(canary_at=NOW + 60)
    bench.expired_events.refused = {"a"}
    assert bench.send(*old("a", age=LAST_ATTEMPT_AGE - 10)) == {"a"}
    assert bench.sqs.visibility == {"a": 20}


def test_a_paused_connector_attempts_nothing_not_even_a_canary(bench: SenderBench) -> None:
    bench.connectors[NAME] = replace(CONNECTOR, paused_at=NOW - 100)
    for failing in (None, OUTAGE):
        if failing is not None:
            bench.failing_connectors.by_connector[NAME] = failing
        assert bench.send(*old("ab")) == set("ab")
    assert (bench.posted, bench.failing_connectors.claims) == ([], [])
    assert {10 <= seconds <= 30 for seconds in bench.sqs.visibility.values()} == {True}


def test_a_pause_is_seen_by_attempts_that_have_not_started(bench: SenderBench) -> None:
    """The second read of the row is made when the first is no longer fresh."""
    bench = SenderBench(workers=1)
    bench.response_times = {"a": 1.0}
    bench.before_post = lambda event_id: bench.connectors.update(
        {NAME: replace(CONNECTOR, paused_at=NOW)}
    )
    assert bench.send(*map(received, "ab")) == {"b"}
    assert bench.posted == ["a"]
    assert bench.sqs.visibility == {"b": 0}


def test_a_test_is_attempted_in_an_outage_beside_the_canary_and_ends_it(
    bench: SenderBench,
) -> None:
    bench.failing_connectors.by_connector[NAME] = OUTAGE
    bench.answers = {"a": 503, "t": 503}
    assert bench.send(*old("ab"), received("t", origin=TEST)) == {"a", "b"}
    assert sorted(bench.posted) == ["a", "t"]
    assert bench.failing_connectors.by_connector[NAME].is_outage
    bench.answers = {}
    assert bench.send(received("c"), received("u", origin=TEST)) == {"c"}
    assert bench.failing_connectors.by_connector == {}


def test_a_test_is_held_while_its_connector_is_paused(bench: SenderBench) -> None:
    bench.connectors = {NAME: replace(CONNECTOR, paused_at=NOW - 60)}
    assert bench.send(received("t", origin=TEST)) == {"t"}
    assert bench.posted == []
