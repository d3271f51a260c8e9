"""What the attempt log keeps of an attempt."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dataconnectors.endpoints.exchange import ShownExchange


class LoggedAttempt(NamedTuple):
    """One attempt. Times are in epoch seconds and durations in milliseconds.

    `number` is the receive of its message, `error` a `FailureKind` or "", and `status` that of the
    answer, 0 without one. `durations` has the phases that there were, `queue` (from accepted to the
    attempt's start) and `total`. For `one_in`, `next_at` and `left_out` see `attempt_log.Entry`.
    Lists of attempts have no `exchange`.
    """

    connector: str
    event_id: str
    event_type: str
    device: str
    started_at: float
    number: int
    status: int
    error: str
    message: str
    durations: Mapping[str, float]
    request_bytes: int
    response_bytes: int
    next_at: float | None
    one_in: int
    left_out: int
    is_test: bool = False
    exchange: ShownExchange | None = None


def exchange_of(values: Sequence[Any]) -> ShownExchange:
    """An exchange that was stored as JSON, where a tuple is a list."""
    read = ShownExchange(*values)
    return read._replace(
        request_headers=tuple((name, value) for name, value in read.request_headers),
        answer_headers=tuple((name, value) for name, value in read.answer_headers),
    )
