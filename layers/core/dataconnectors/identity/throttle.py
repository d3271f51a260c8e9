"""A limit on the requests of a key, which all processes that serve the API count together."""

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from dataconnectors.aws import gateway
from dataconnectors.kernel.errors import TooManyRequestsError
from dataconnectors.kernel.log import Log

WINDOW_SECONDS = 5
"""Length of a window. Windows begin at multiples of it, so across the edge of two windows a key may
make twice its limit within as many seconds."""

PATIENCE = 0.5
"""Seconds that a request waits to be counted. Without a count it is served: a fault in the counter
must not refuse requests."""

COUNTING_THREADS = 4
"""Counts under way at most: that of this request, and late ones that nobody waits for any more."""

Answer = gateway.Answer


class Counter(Protocol):
    """What `store.request_counts.RequestCountStore` offers."""

    def count(self, key_id: str, window: int, expires_at: float, /) -> int:
        """Count a request of a key in a window; returns the count with it."""


class Throttle:
    """Refuses the requests of a key that are over its limit. Each process has one."""

    def __init__(
        self,
        counter: Counter,
        limit: int,
        log: Log,
        *,
        now: Callable[[], float],
        patience: float = PATIENCE,
    ) -> None:
        """`limit` is for each key and window; 0 means no limit. `now` gives epoch seconds.

        `patience` is in seconds, as `PATIENCE` is.
        """
        self._counter = counter
        self._limit = limit
        self._log = log
        self._now = now
        self._patience = patience
        self._pool = ThreadPoolExecutor(COUNTING_THREADS)
        self._window = 0
        self._keys_over_limit: set[str] = set()

    def serve(
        self,
        event: Mapping[str, Any],
        key_of: Callable[[Mapping[str, Any]], str],
        serve: Callable[[], Answer],
    ) -> Answer:
        """The answer to a request, or a 429 with the whole seconds to wait.

        `key_of` returns the id of the key that the request is made with, or "" when it has none;
        such a request is not counted. A GET is served while it is counted, so that it does not wait
        for that. Any other request is counted first, because it may have an effect.
        """
        key_id = key_of(event) if self._limit else ""
        if not key_id:
            return serve()
        window = self._current_window()
        # A key that keeps calling after it was refused must not cost a write each time.
        if key_id in self._keys_over_limit:
            return self._refusal(window)
        expires_at = (window + 2) * WINDOW_SECONDS
        counting = self._pool.submit(self._counter.count, key_id, window, expires_at)
        if gateway.method(event) == "GET":
            answer = serve()
            return self._refusal(window) if self._is_over(counting, key_id, window) else answer
        return self._refusal(window) if self._is_over(counting, key_id, window) else serve()

    def _current_window(self) -> int:
        window = math.floor(self._now() / WINDOW_SECONDS)
        if window != self._window:
            self._window = window
            self._keys_over_limit.clear()
        return window

    def _is_over(self, counting: "Future[int]", key_id: str, window: int) -> bool:
        try:
            count = counting.result(self._patience)
        except Exception as error:  # noqa: BLE001  # whatever it is, the request is served
            self._log.error("api.not_counted", extra={"error": f"{type(error).__name__}: {error}"})
            return False
        if count <= self._limit:
            return False
        if window == self._window:
            self._keys_over_limit.add(key_id)
        return True

    def _refusal(self, window: int) -> Answer:
        wait = max(1, math.ceil((window + 1) * WINDOW_SECONDS - self._now()))
        return gateway.error_answer(
            TooManyRequestsError(
                f"more than {self._limit} requests in {WINDOW_SECONDS} seconds: wait {wait} s", wait
            )
        )
