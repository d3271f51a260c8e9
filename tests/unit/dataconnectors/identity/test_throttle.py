"""Which requests are refused, and for how long, when a key makes too many."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from dataconnectors.identity.throttle import PATIENCE, WINDOW_SECONDS, Answer, Throttle
from tests.support.http_api import content, request

LIMIT = 25
SERVED: Answer = {"statusCode": 200, "headers": {}, "body": "{}"}


class World:
    """Processes that share a count of requests, and a clock."""

    def __init__(self) -> None:
        self.time = 1_790_000_000.0
        self.requests: Counter[tuple[str, int]] = Counter()
        self.written = 0
        self.served = 0
        self.failure: Exception | None = None
        self.held: threading.Event | None = None
        self.logged: list[str] = []

    def process(self, limit: int = LIMIT) -> Throttle:
        return Throttle(self, limit, self, now=lambda: self.time)

    def count(self, key_id: str, window: int, expires_at: float) -> int:
        assert expires_at > self.time + WINDOW_SECONDS
        if self.held is not None:
            self.held.wait(5)
        self.written += 1
        if self.failure is not None:
            raise self.failure
        self.requests[key_id, window] += 1
        return self.requests[key_id, window]

    def info(self, message: str, /, *, extra: Mapping[str, Any]) -> None:
        raise AssertionError("a throttle logs faults alone")

    def error(self, message: str, /, *, extra: Mapping[str, Any], exc_info: Any = None) -> None:
        self.logged.append(message)

    def serve(self) -> Answer:
        self.served += 1
        return dict(SERVED)

    def call(self, throttle: Throttle, method: str = "GET", key: str = "k") -> Answer:
        return throttle.serve(request(method, "/v2/x"), lambda event: key, self.serve)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_26th_request_in_five_seconds_is_refused_with_the_time_to_wait(
    world: World, method: str
) -> None:
    throttle = world.process()
    world.time += 1.2
    for _ in range(LIMIT):
        assert world.call(throttle, method) == SERVED
    refused = world.call(throttle, method)
    assert refused["statusCode"] == 429
    assert refused["headers"]["retry-after"] == "4"
    error = content(refused)
    assert (error["code"], error["help"]) == (429, "/v2/errors#429")
    world.time += int(refused["headers"]["retry-after"])
    assert world.call(throttle, method) == SERVED


def test_a_refused_write_has_no_effect(world: World) -> None:
    throttle = world.process()
    for _ in range(LIMIT + 5):
        world.call(throttle, "POST")
    assert world.served == LIMIT


def test_requests_are_counted_by_key_over_all_processes(world: World) -> None:
    throttles = [world.process() for _ in range(5)]
    codes = [world.call(throttles[n % 5])["statusCode"] for n in range(LIMIT + 3)]
    assert codes == [200] * LIMIT + [429] * 3
    assert world.call(throttles[0], key="another") == SERVED


def test_a_key_makes_at_most_twice_its_limit_across_the_edge_of_two_windows(world: World) -> None:
    throttle = world.process()
    world.time += WINDOW_SECONDS - 0.1
    codes = [world.call(throttle)["statusCode"] for _ in range(60)]
    world.time += 0.2
    codes += [world.call(throttle)["statusCode"] for _ in range(60)]
    assert codes.count(200) == 2 * LIMIT


def test_further_requests_after_a_refusal_are_not_counted_in_the_table(world: World) -> None:
    throttle = world.process()
    for _ in range(1000):
        world.call(throttle)
    assert world.written == LIMIT + 1


def test_a_request_that_cannot_be_counted_is_served(world: World) -> None:
    throttle = world.process()
    world.failure = ReadTimeoutError(endpoint_url="https://aws")
    for method in ("GET", "POST"):
        for _ in range(LIMIT + 5):
            assert world.call(throttle, method) == SERVED
    assert set(world.logged) == {"api.not_counted"}


def test_a_count_that_hangs_delays_no_request_for_long(world: World) -> None:
    assert PATIENCE < 1
    world.held = threading.Event()
    throttle = Throttle(world, LIMIT, world, now=lambda: world.time, patience=0.01)
    for _ in range(6):
        assert world.call(throttle) == SERVED
    world.held.set()


def test_a_request_without_a_key_and_a_deployment_without_a_limit_are_not_counted(
    world: World,
) -> None:
    throttle = world.process()
    for _ in range(LIMIT + 5):
        assert world.call(throttle, key="") == SERVED
    unlimited = world.process(limit=0)
    for _ in range(LIMIT + 5):
        assert world.call(unlimited) == SERVED
    assert world.written == 0


def test_a_read_is_served_while_it_is_counted(world: World) -> None:
    world.held = threading.Event()

    def serve() -> Answer:
        assert world.written == 0
        world.held.set()  # type: ignore[union-attr]
        return world.serve()

    answer = world.process().serve(request("GET", "/"), lambda event: "k", serve)
    assert answer == SERVED
    assert world.written == 1
