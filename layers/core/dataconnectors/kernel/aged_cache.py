"""A cache that uses a value up to an age, which bounds how long we act on old data."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class AgedCache(Generic[K, V]):
    """Values by key, each for at most `seconds`, and at most `entries` of them.

    The age of a value counts from before it was looked up, so using a value does not make it live
    longer. Every use of the cache drops all values that are too old, so that a secret which nobody
    asks for any more does not stay in memory. Safe to share between threads; two threads that
    miss the same key at the same time both look it up.
    """

    def __init__(
        self,
        seconds: float,
        entries: int,
        clock: Callable[[], float],
        *,
        is_cached: Callable[[V], bool] = lambda _: True,
    ) -> None:
        """`clock` gives seconds that have passed, such as `times.elapsed`.

        A value that `is_cached` refuses is returned, but looked up again the next time.
        """
        self._seconds = seconds
        self._entries = entries
        self._clock = clock
        self._is_cached = is_cached
        self._lock = Lock()
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(
        self,
        key: K,
        look_up: Callable[[], V],
        is_good: Callable[[V], bool] = lambda _: True,
    ) -> V:
        """The cached value, or else what `look_up` returns, which is then cached.

        A cached value that `is_good` refuses is looked up again. An exception of `look_up` is
        passed on, and nothing is cached.
        """
        now = self._clock()
        with self._lock:
            self._drop_old(now)
            kept = self._kept.get(key)
        if kept is not None and is_good(kept[1]):
            return kept[1]
        found = look_up()
        with self._lock:
            self._kept.pop(key, None)
            if self._is_cached(found):
                self._kept[key] = (now, found)
                self._drop_old(now)
        return found

    def forget(self, key: K) -> None:
        """Drop a value, so that the next use looks it up again."""
        with self._lock:
            self._kept.pop(key, None)

    def entries(self) -> dict[K, V]:
        """The values in memory, the oldest first."""
        with self._lock:
            return {key: value for key, (_, value) in self._kept.items()}

    def _drop_old(self, now: float) -> None:
        """Drop the values that are too old, and the oldest ones when there are too many.

        Values are in the order in which they were cached, so the oldest are first.
        """
        while self._kept:
            key, (since, _) = next(iter(self._kept.items()))
            if len(self._kept) <= self._entries and now - since < self._seconds:
                return
            del self._kept[key]
