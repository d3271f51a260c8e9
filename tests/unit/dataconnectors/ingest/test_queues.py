"""Each queue entry is confirmed by SQS or reported as failed, whatever SQS answers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ReadTimeoutError

from dataconnectors.ingest import queues
from dataconnectors.ingest.queues import ConnectorQueues, QueueEntry, SendResult
from tests.support.sqs_sends import Answer, SqsSends, refuse


def send(
    sqs: SqsSends, entries: dict[str, list[QueueEntry]]
) -> tuple[dict[str, SendResult], list[float]]:
    pauses: list[float] = []
    with ThreadPoolExecutor(4) as executor:
        return ConnectorQueues(sqs, executor, sleep=pauses.append).send(entries), pauses


def entries(count: int, text: str = "m") -> list[QueueEntry]:
    return [QueueEntry(number, f"{text}{number}") for number in range(count)]


def accept_only(*wanted: str) -> Answer:
    return lambda url, given: [entry["Id"] for entry in given if entry["MessageBody"] in wanted]


def test_each_queue_gets_its_own_messages_in_batches_of_ten() -> None:
    sqs = SqsSends()
    answers, pauses = send(sqs, {"q1": entries(23), "q2": entries(1, "x")})
    assert answers == {"q1": SendResult({}), "q2": SendResult({})}
    assert sorted(sqs.messages["q1"]) == sorted(entry.text for entry in entries(23))
    assert sqs.messages["q2"] == ["x0"]
    assert sorted(sqs.calls) == [("q1", 3), ("q1", 10), ("q1", 10), ("q2", 1)]
    assert pauses == []


@pytest.mark.parametrize(
    ("lengths", "batches"),
    [
        ([1] * 10, [10]),
        ([1] * 11, [10, 1]),
        ([queues.BATCH_BYTES], [1]),
        ([queues.BATCH_BYTES - 1, 1], [2]),
        ([queues.BATCH_BYTES, 1], [1, 1]),
        ([600_000, 600_000, 400_000], [1, 2]),
        ([], []),
    ],
)
def test_a_batch_stays_within_both_limits_of_sqs(lengths: list[int], batches: list[int]) -> None:
    split = queues.split_into_batches(
        [QueueEntry(number, "m" * length) for number, length in enumerate(lengths)]
    )
    assert [len(batch) for batch in split] == batches


def test_only_the_failed_entries_of_a_batch_are_sent_again() -> None:
    sqs = SqsSends(accept_only("m0", "m2"), accept_only("m1"))
    answers, pauses = send(sqs, {"q": entries(4)})
    assert answers["q"].unconfirmed == {}
    assert sqs.messages["q"] == ["m0", "m2", "m1", "m3"]
    assert sqs.calls == [("q", 4), ("q", 2), ("q", 1)]
    assert pauses == [0.05, 0.1]


def test_an_entry_that_fails_repeatedly_is_reported_by_event() -> None:
    sqs = SqsSends(*[accept_only("m0")] * 3)
    answers, _ = send(sqs, {"q": entries(2)})
    assert answers["q"] == SendResult({1: "InternalError"})


def test_an_entry_that_the_answer_does_not_name_counts_as_not_accepted() -> None:
    class Silent(SqsSends):
        def send_message_batch(self, **call: object) -> dict[str, object]:
            return {}

    answers, _ = send(Silent(), {"q": entries(1)})
    assert answers["q"] == SendResult({0: "unknown"})


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("RequestThrottled", False),
        ("AWS.SimpleQueueService.NonExistentQueue", True),
        ("QueueDoesNotExist", True),
    ],
)
def test_a_refused_call_is_reported_and_does_not_affect_other_queues(
    code: str, missing: bool
) -> None:
    sqs = SqsSends(refuse(code))
    answers, _ = send(sqs, {"bad": entries(2)})
    assert answers["bad"] == SendResult({0: code, 1: code}, missing)
    assert send(sqs, {"good": entries(2)})[0]["good"] == SendResult({})


def test_entries_of_a_call_without_an_answer_are_reported_as_not_accepted() -> None:
    def time_out(_url: str, _entries: list[dict[str, str]]) -> list[str]:
        raise ReadTimeoutError(endpoint_url="https://sqs")

    answers, _ = send(SqsSends(time_out), {"q": entries(1)})
    assert answers["q"] == SendResult({0: "ReadTimeoutError"})
