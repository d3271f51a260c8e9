"""Threads that make calls in parallel, and that are waited for only until a deadline."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

T = TypeVar("T")


class Workers:
    """`count` threads that stay alive between batches.

    Starting threads for each batch would cost half as much CPU as its POSTs.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count)

    def run(self, calls: Sequence[Callable[[], T]], seconds: float) -> list[Future[T]]:
        """Make the calls in parallel, and return their futures after `seconds` at the latest.

        By then each call is done, was cancelled before it began, or is still running. A call should
        never still be running, because it has a deadline of its own; if one is, its thread is
        abandoned, and the next batch gets new threads.
        """
        futures = [self._pool.submit(call) for call in calls]
        _, late = wait(futures, timeout=max(0.0, seconds))
        stuck = [future for future in late if not future.cancel()]
        if stuck:
            self._pool.shutdown(wait=False)
            self._pool = ThreadPoolExecutor(self.count)
        return futures


def failure_of(call: "Future[Any]") -> str:
    """Why a call has no result, as text for a log line; "" when it has one."""
    if not call.done() or call.cancelled():
        return "no answer in time"
    failure = call.exception()
    return "" if failure is None else f"{type(failure).__name__}: {failure}"
