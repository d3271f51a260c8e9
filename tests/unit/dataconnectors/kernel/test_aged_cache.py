"""When a cached value is used, when it is looked up again, and when it leaves memory."""

import pytest

from dataconnectors.kernel.aged_cache import AgedCache

SECONDS = 30.0


class Bench:
    """A cache of three entries, a clock, and what was looked up."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cache = AgedCache[str, str](SECONDS, 3, lambda: self.now, is_cached=bool)
        self.looked_up: list[str] = []

    def get(self, key: str, value: str = "value", *, refused: str = "") -> str:
        def look_up() -> str:
            self.looked_up.append(key)
            return value

        return self.cache.get(key, look_up, lambda cached: cached != refused)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_using_a_cached_value_does_not_extend_its_life(bench: Bench) -> None:
    for bench.now in (0.0, 10.0, 20.0, SECONDS - 0.1):
        assert bench.get("a") == "value"
    assert bench.looked_up == ["a"]
    bench.now = SECONDS
    assert bench.get("a", "new") == "new"
    assert bench.looked_up == ["a", "a"]


def test_the_age_of_a_value_counts_from_before_its_look_up(bench: Bench) -> None:
    def slow() -> str:
        bench.now = SECONDS
        return "old"

    assert bench.cache.get("a", slow) == "old"
    assert bench.get("a", "new") == "new"


def test_a_value_that_is_not_to_be_cached_is_looked_up_each_time(bench: Bench) -> None:
    assert bench.get("a", "") == ""
    assert bench.get("a", "now there") == "now there"
    assert bench.looked_up == ["a", "a"]


def test_a_cached_value_that_the_caller_refuses_is_looked_up_again_and_replaced(
    bench: Bench,
) -> None:
    bench.get("a", "too little")
    assert bench.get("a", "enough", refused="too little") == "enough"
    assert bench.get("a") == "enough"


def test_a_failed_look_up_caches_nothing(bench: Bench) -> None:
    def fail() -> str:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        bench.cache.get("a", fail)
    assert bench.cache.entries() == {}


def test_the_oldest_value_leaves_when_there_are_too_many(bench: Bench) -> None:
    for key in ("a", "b", "c"):
        bench.get(key)
    bench.cache.forget("a")
    bench.get("a")
    bench.get("d")
    assert list(bench.cache.entries()) == ["c", "a", "d"]


def test_every_use_drops_all_values_that_are_too_old(bench: Bench) -> None:
    bench.get("unused")
    bench.now = SECONDS - 1
    bench.get("used")
    bench.now = SECONDS
    bench.get("used")
    assert list(bench.cache.entries()) == ["used"]
    assert bench.looked_up == ["unused", "used"]
