"""How many requests a key may make in a while, over all processes that serve it."""

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from dataconnectors.aws import gateway
from dataconnectors.kernel.errors import TooManyRequestsError

WINDOW_SECONDS = 5
"""Requests are counted from one multiple of this to the next: across an edge, a key may make twice
its limit within as many seconds."""

PATIENCE = 0.5
"""Seconds that a request waits for its count. Without one it is served: who cannot count does not
refuse."""

COUNTERS = 4
"""Counts under way at most: one for this request, and some that nobody waits for any more."""

Answer = gateway.Answer


class Counter(Protocol):
    """What `store.requests.RequestStore` offers."""

    def count(self, key_id: str, window: int, expires_at: float, /) -> int:
        """How many requests of a key there were in a window, with this one."""


class Log(Protocol):
    """What loggers have in common."""

    def error(self, message: str, /, *, extra: Mapping[str, Any]) -> None:
        """A fault of ours."""


class Throttle:
    """Refuses what is over the limit. One for each process."""

    def __init__(
        self,
        counter: Counter,
        limit: int,
        log: Log,
        *,
        now: Callable[[], float],
        patience: float = PATIENCE,
    ) -> None:
        """`limit` for each key and window, 0 for none; `now` gives epoch seconds."""
        self._counter = counter
        self._limit = limit
        self._log = log
        self._now = now
        self._patience = patience
        self._pool = ThreadPoolExecutor(COUNTERS)
        self._window = 0
        self._full: set[str] = set()

    def serve(
        self,
        event: Mapping[str, Any],
        key_of: Callable[[Mapping[str, Any]], str],
        serve: Callable[[], Answer],
    ) -> Answer:
        """The answer to a request, or a 429 with the whole seconds to wait.

        `key_of` gives the id of the key that it is made with, "" for none: that is not counted.
        What only reads is served while it is counted, so that nobody waits for that.
        """
        key_id = key_of(event) if self._limit else ""
        if not key_id:
            return serve()
        window = self._current_window()
        # A key that goes on when it is refused must not keep the table busy as well.
        if key_id in self._full:
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
            self._full.clear()
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
            self._full.add(key_id)
        return True

    def _refusal(self, window: int) -> Answer:
        wait = max(1, math.ceil((window + 1) * WINDOW_SECONDS - self._now()))
        error = TooManyRequestsError(
            f"more than {self._limit} requests in {WINDOW_SECONDS} seconds: wait {wait} s"
        )
        answer = gateway.error_answer(error)
        answer["headers"]["retry-after"] = str(wait)
        return answer
