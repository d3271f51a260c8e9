"""Threads that work at the same time, and that nobody waits for longer than agreed."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

T = TypeVar("T")


class Workers:
    """`count` threads, kept between batches: making them anew costs half as much as the POSTs."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count)

    def run(self, calls: Sequence[Callable[[], T]], seconds: float) -> list[Future[T]]:
        """Make the calls in parallel, and return their futures after `seconds` at the latest.

        By then each one is done, or cancelled before it began, or else still running. The last
        should not be, since each call has a deadline of its own; its thread is left behind, and
        the next batch gets new ones.
        """
        futures = [self._pool.submit(call) for call in calls]
        _, late = wait(futures, timeout=max(0.0, seconds))
        stuck = [future for future in late if not future.cancel()]
        if stuck:
            self._pool.shutdown(wait=False)
            self._pool = ThreadPoolExecutor(self.count)
        return futures


def failure_of(call: "Future[Any]") -> str:
    """Why a call has no result, as a log line says it; "" when it has one."""
    if not call.done() or call.cancelled():
        return "no answer in time"
    failure = call.exception()
    return "" if failure is None else f"{type(failure).__name__}: {failure}"
