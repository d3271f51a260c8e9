"""How the table repeats transactions that conflict, and reads that are answered in part."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from dataconnectors.kernel.errors import ConflictError, UnavailableError
from dataconnectors.store.table import BATCH_GET_KEYS, TRIES, Table

KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}


class DynamoDb:
    """A fake of DynamoDB. It gives `answers` in turn, and success afterwards."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[dict[str, Any]] = []

    def _answer(self, request: dict[str, Any], success: Any) -> Any:
        self.calls.append(request)
        answer = self.answers.pop(0) if self.answers else success
        if isinstance(answer, Exception):
            raise answer
        return answer

    def transact_write_items(self, **request: Any) -> Any:
        return self._answer(request, {})

    def batch_get_item(self, **request: Any) -> Any:
        return self._answer(request, {"Responses": {"t": [KEY]}})


class Bench:
    """A table that records how long it waits."""

    def __init__(self, *answers: Any) -> None:
        self.dynamodb = DynamoDb(*answers)
        self.slept: list[float] = []
        self.table = Table(self.dynamodb, "t", sleep=self.slept.append)


def cancelled(*reasons: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(answer, "TransactWriteItems")


@pytest.mark.parametrize(
    "reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
)
@pytest.mark.parametrize("times", [0, 1, TRIES - 1])
def test_a_transaction_is_repeated_after_a_transient_conflict(reason: str, times: int) -> None:
    bench = Bench(*[cancelled("None", reason)] * times)
    assert bench.table.try_transaction([]) is None
    assert len(bench.dynamodb.calls) == times + 1
    assert len(bench.slept) == times
    assert bench.slept == sorted(bench.slept)


def test_two_conflicting_transactions_wait_for_different_times() -> None:
    waits = []
    for _ in range(2):
        bench = Bench(cancelled("TransactionConflict"))
        bench.table.try_transaction([])
        waits += bench.slept
    assert waits[0] != waits[1]


def test_a_conflict_that_does_not_end_raises_an_error() -> None:
    bench = Bench(*[cancelled("TransactionConflict")] * TRIES)
    with pytest.raises(ClientError, match="TransactionCanceled"):
        bench.table.try_transaction([])
    assert len(bench.dynamodb.calls) == TRIES
    assert sum(bench.slept) < 1.3


def test_a_failed_condition_is_reported_at_once_even_with_a_conflict() -> None:
    bench = Bench(cancelled("TransactionConflict", "None", "ConditionalCheckFailed"))
    assert bench.table.try_transaction([]) == 2
    with pytest.raises(ConflictError, match="taken"):
        Bench(cancelled("ConditionalCheckFailed")).table.transact([], "taken")
    assert bench.slept == []


def test_a_transaction_that_fails_for_another_reason_is_not_repeated() -> None:
    bench = Bench(cancelled("None", "ValidationError"))
    with pytest.raises(ClientError):
        bench.table.try_transaction([])
    assert len(bench.dynamodb.calls) == 1


def test_unprocessed_keys_are_read_again_after_a_pause() -> None:
    other = KEY | {"sk": {"S": "other"}}
    left: Any = {"Responses": {"t": [KEY]}, "UnprocessedKeys": {"t": {"Keys": [other]}}}
    bench = Bench(left, {"Responses": {"t": [other]}})
    assert bench.table.batch_get([KEY, other]) == [KEY, other]
    assert bench.dynamodb.calls[1]["RequestItems"]["t"]["Keys"] == [other]
    assert len(bench.slept) == 1
    nothing: Any = {"Responses": {}, "UnprocessedKeys": {"t": {"Keys": [KEY]}}}
    with pytest.raises(UnavailableError):
        Bench(*[nothing] * TRIES).table.batch_get([KEY])


def test_any_number_of_keys_is_read_in_calls_within_the_limit_of_dynamodb() -> None:
    keys: Any = [KEY | {"sk": {"S": f"{number}"}} for number in range(2 * BATCH_GET_KEYS + 1)]
    bench = Bench()
    assert bench.table.batch_get(keys) == [KEY] * 3
    asked = [call["RequestItems"]["t"]["Keys"] for call in bench.dynamodb.calls]
    assert [len(batch) for batch in asked] == [BATCH_GET_KEYS, BATCH_GET_KEYS, 1]
    assert [key for batch in asked for key in batch] == keys
    assert bench.table.batch_get([]) == []
    assert len(bench.dynamodb.calls) == 3
