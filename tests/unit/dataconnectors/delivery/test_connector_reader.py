"""Reading the connectors of a batch, and opening their secrets."""

from typing import Any

import pytest

from dataconnectors.kernel.errors import VaultError
from tests.support.sender_bench import NAME, THROTTLED, UNREACHED, SenderBench, received


@pytest.mark.parametrize("error", [THROTTLED, UNREACHED])
def test_events_wait_when_the_connector_cannot_be_read(bench: SenderBench, error: Any) -> None:
    bench.connectors = {NAME: error}
    assert bench.send(received("a"), received("b", receive_count=9, age=12.0)) == {"a", "b"}
    assert bench.posted == []
    assert bench.sqs.visibility == {"a": 8, "b": 20}
    assert bench.lines("delivery.postponed")[0]["connector"] == NAME


def test_events_wait_when_the_secret_cannot_be_opened_and_are_never_sent_unsigned(
    bench: SenderBench,
) -> None:
    bench.secrets = VaultError("KMS did not open a secret: Throttling")
    assert bench.send(received("a")) == {"a"}
    assert bench.posted == []
    assert bench.sqs.visibility == {"a": 8}


def test_each_connector_is_read_once_and_a_failed_read_delays_no_other_connector(
    bench: SenderBench,
) -> None:
    other = "projects/p/dataconnectors/other"
    bench.connectors[other] = THROTTLED
    messages = [
        received("a"),
        received("b", connector=other),
        received("c"),
        received("d", connector=other),
    ]
    assert bench.send(*messages) == {"b", "d"}
    assert sorted(bench.reads) == sorted([NAME, other])
    assert sorted(bench.posted) == ["a", "c"]


def test_an_event_that_waits_for_kms_until_it_is_too_old_is_recorded_as_expired(
    bench: SenderBench,
) -> None:
    bench.secrets = VaultError("KMS did not open a secret: Throttling")
    assert bench.send(received("a", receive_count=30, age=41_000.0), received("b")) == {"b"}
    assert (set(bench.expired_events.saved), bench.posted) == ({"a"}, [])
