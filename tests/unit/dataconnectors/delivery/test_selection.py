"""Which events of a batch are attempted, and what becomes of the others."""

from dataclasses import replace
from typing import Any

import pytest

from dataconnectors.connectors.connector import Lifecycle, Status
from dataconnectors.events.message import TEST, TEST_SECONDS
from dataconnectors.kernel.errors import VaultError
from tests.support.sender_bench import CONNECTOR, CUTOFF, NAME, SenderBench, received


@pytest.mark.parametrize(
    "change",
    [
        {"status": Status.USER_DISABLED},
        {"status": Status.SYSTEM_DISABLED},
        {"lifecycle": Lifecycle.DELETING},
        {"epoch": 4},
        None,
    ],
)
def test_events_of_a_connector_that_was_disabled_or_deleted_are_dropped(
    bench: SenderBench, change: dict[str, Any] | None
) -> None:
    bench.secrets = VaultError("KMS is down")
    if change is None:
        bench.connectors = {}
        bench.removed = {NAME}
    else:
        bench.connectors = {NAME: replace(CONNECTOR, sealed=None, **change)}
    assert bench.send(received("a"), received("b")) == set()
    assert bench.posted == []
    assert bench.lines("delivery.batch")[0]["dropped"] == 2


def test_a_disabled_connectors_events_are_dropped_while_kms_is_down(bench: SenderBench) -> None:
    bench.connectors = {NAME: replace(CONNECTOR, status=Status.USER_DISABLED)}
    bench.secrets = VaultError("KMS is down")
    assert bench.send(received("a")) == set()


def test_events_of_a_connector_that_is_still_provisioned_are_sent(bench: SenderBench) -> None:
    bench.connectors = {NAME: replace(CONNECTOR, lifecycle=Lifecycle.PROVISIONING)}
    assert bench.send(received("a")) == set()
    assert bench.posted == ["a"]


def test_only_messages_of_the_current_epoch_are_sent(bench: SenderBench) -> None:
    assert bench.send(received("a", epoch=2), received("b"), received("c", epoch=1)) == set()
    assert bench.posted == ["b"]


def test_a_message_of_a_connector_that_never_existed_becomes_a_dead_letter(
    bench: SenderBench,
) -> None:
    other = "projects/p/dataconnectors/other"
    assert bench.send(received("a"), received("b", connector=other)) == set()
    assert bench.posted == ["a"]
    (dead_letter,) = bench.dead_letters.letters.values()
    assert dead_letter.message.message_id == "b"
    assert dead_letter.reason == "connector 'projects/p/dataconnectors/other' was never there"


def test_a_message_of_a_removed_connector_is_dropped_and_is_no_dead_letter(
    bench: SenderBench,
) -> None:
    bench.connectors, bench.removed = {}, {NAME}
    assert bench.send(received("a")) == set()
    assert bench.dead_letters.letters == {}
    assert bench.lines("delivery.batch")[0]["dropped"] == 1
    assert {name for name, _ in bench.logged} == {"delivery.batch"}


def test_an_event_that_is_too_old_for_an_attempt_is_recorded_without_one(
    bench: SenderBench,
) -> None:
    assert bench.send(received("a", age=CUTOFF), received("b", age=CUTOFF - 1)) == set()
    assert bench.posted == ["b"]
    assert bench.expired_events.saved["a"].kind == "untried"


def test_an_event_of_a_disabled_connector_does_not_expire(bench: SenderBench) -> None:
    bench.connectors = {NAME: replace(CONNECTOR, status=Status.USER_DISABLED)}
    assert bench.send(received("a", age=CUTOFF)) == set()
    assert bench.expired_events.saved == {}
    assert bench.lines("delivery.batch")[0]["dropped"] == 1


def test_a_test_that_waited_for_too_long_is_dropped(bench: SenderBench) -> None:
    late = TEST_SECONDS + 0.1
    messages = [received("a", origin=TEST, age=late), received("b", age=late)]
    assert bench.send(*messages, received("c", origin=TEST, age=TEST_SECONDS)) == set()
    assert sorted(bench.posted) == ["b", "c"]
    assert bench.lines("delivery.batch")[0]["dropped"] == 1
