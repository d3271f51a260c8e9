"""An execution environment of a function: its clock, AWS clients, parallel calls, and its end."""

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from dataconnectors.kernel.workers import Workers
from tests.faults.models import dynamodb
from tests.faults.models.errors import check_parameters, operation_name, refusal
from tests.faults.plan import Mode, Plan
from tests.faults.scheduler import Scheduler

EPOCH = 1_790_000_000.0
"""The epoch second at which every run begins."""

LATENCY = (0.002, 0.03)
SLOW = ((0.1, 0.5), (0.5, 8.0))
ALL_TRIES = (4.0, 9.5)
"""Seconds that a call takes: usually, when AWS is slow (two ranges), and when all of botocore's
tries time out (three tries of at most three seconds each, and its back-off)."""

CHECKED_CALLS = 400
"""So many calls have their parameters checked against botocore's models, then one in a hundred."""

T = TypeVar("T")
Observer = Callable[["Process", str, Mapping[str, Any]], None]


class Ended(Future[T]):
    """The future of a call that has ended, or that nobody waits for any more.

    A future of the standard library has a lock and a condition, for threads that wait for it.
    """

    def __init__(self) -> None:
        self._is_done = False
        self._value: Any = None
        self._failure: BaseException | None = None

    def done(self) -> bool:
        return self._is_done

    def cancelled(self) -> bool:
        return False

    def set_result(self, result: T) -> None:
        self._is_done, self._value = True, result

    def set_exception(self, exception: BaseException | None) -> None:
        self._is_done, self._failure = True, exception

    def exception(self, timeout: float | None = None) -> BaseException | None:
        assert self._is_done, "nobody waits for this call"
        return self._failure

    def result(self, timeout: float | None = None) -> T:
        assert self._is_done, "nobody waits for this call"
        if self._failure is not None:
            raise self._failure
        value: T = self._value
        return value


class LateError(BaseException):
    """Nothing waits for a call any more, so the rest of it is not run."""


class KilledError(BaseException):
    """The process was killed. Not an `Exception`, so that none of our code catches it."""


@dataclass
class Surroundings:
    """What the processes of a run share.

    `called` is called with each call's process, service, operation and parameters. `observe` is
    called with each call that takes effect, and `slowed` with each that will be slow.
    """

    scheduler: Scheduler
    plan: Plan
    rng: random.Random
    services: Mapping[str, Any]
    called: Callable[["Process", str, str, Mapping[str, Any]], None]
    observe: Observer
    slowed: Callable[["Process", str], None]
    calls: int = 0


@dataclass(eq=False)
class Process:
    """An execution environment of the function `role`. Its wall clock is `skew` seconds ahead.

    `invocation` is the ledger's object for the current invocation, and `faulted` has the methods in
    which a fault was injected during it. `dies_at` is in the scheduler's time. `statics` are class
    attributes in which a library keeps an invocation's state; each process has its own values.
    """

    role: str
    world: Surroundings
    skew: float = 0.0
    dies_at: float = float("inf")
    handler: Callable[[Any, Any], Any] = lambda event, context: None
    invocation: Any = None
    faulted: set[str] = field(default_factory=set)
    statics: Sequence[tuple[type, str]] = ()
    ahead: float = 0.0
    _parallel: bool = field(default=False, repr=False)
    _waited_until: float = field(default=float("inf"), repr=False)

    # --- time ----------------------------------------------------------------------------------

    def clock(self) -> float:
        """As `time.monotonic`: seconds since the run began, in this thread."""
        return self.world.scheduler.now + self.ahead

    def now(self) -> float:
        """As `time.time`."""
        return EPOCH + self.world.scheduler.now + self.ahead + self.skew

    def sleep(self, seconds: float) -> None:
        """Let time pass. The process may be killed before it is over."""
        if self._parallel:
            self.ahead += seconds
            return
        scheduler = self.world.scheduler
        end = min(self.dies_at, self._waited_until)
        if scheduler.now + seconds < end:
            self._let_others_run(seconds)
            return
        self._let_others_run(max(0.0, end - scheduler.now))
        if end == self.dies_at:
            raise KilledError("its time was up")
        raise LateError

    def _let_others_run(self, seconds: float) -> None:
        kept = [(owner, name, getattr(owner, name, None)) for owner, name in self.statics]
        self.world.scheduler.sleep(seconds)
        for owner, name, value in kept:
            setattr(owner, name, value)

    def together(
        self, calls: Sequence[Callable[[], T]], seconds: float = float("inf")
    ) -> "list[Future[T]]":
        """Make calls in parallel. Calls that take longer than `seconds` remain unfinished.

        Several calls take effect when they begin, before any other process acts. When one of them
        kills the process, others of them may have taken effect. A single call takes turns with
        other processes, like everything that a process does.
        """
        if len(calls) == 1:
            return [self._alone(calls[0], seconds)]
        futures: list[Future[T]] = []
        longest = 0.0
        killed = False
        self._parallel = True
        try:
            for call in calls:
                if killed and self.world.rng.random() < 0.5:
                    continue
                self.ahead = 0.0
                future: Future[T] = Ended()
                try:
                    result = call()
                except KilledError:
                    killed = True
                except Exception as error:  # noqa: BLE001  # as an executor does
                    if self.ahead <= seconds:
                        future.set_exception(error)
                else:
                    if self.ahead <= seconds:
                        future.set_result(result)
                futures.append(future)
                longest = max(longest, min(self.ahead, seconds))
        finally:
            self._parallel = False
            self.ahead = 0.0
        if killed:
            raise KilledError("in one of several calls")
        if longest > 0:
            self.sleep(longest)
        return futures

    def _alone(self, call: Callable[[], T], seconds: float) -> "Future[T]":
        future: Future[T] = Ended()
        self._waited_until = self.world.scheduler.now + seconds
        try:
            future.set_result(call())
        except LateError:
            pass
        except Exception as error:  # noqa: BLE001  # as an executor does
            future.set_exception(error)
        finally:
            self._waited_until = float("inf")
        return future

    # --- AWS -----------------------------------------------------------------------------------

    def get(self, service: str, *, never_repeated: tuple[str, ...] = ()) -> "Client":
        """As `aws.clients.Clients.get`. The plan decides whether botocore repeats other calls."""
        return Client(self, self.world.services[service], never_repeated)

    lazy = get

    def call(
        self,
        service: str,
        method: str,
        act: Callable[..., Any],
        parameters: Any,
        never_repeated: Collection[str] = (),
    ) -> Any:
        """Make a call, with a fault if the plan draws one.

        botocore does not repeat the operations of `never_repeated`.
        """
        world = self.world
        world.calls += 1
        if world.calls <= CHECKED_CALLS or world.calls % 100 == 0:
            check_parameters(service, method, parameters)
        world.called(self, service, operation_name(method), parameters)
        step = _step(self.role, parameters)
        fault = world.plan.draw(self.role, service, method, world.scheduler.now, step)
        if fault is None:
            self.sleep(world.rng.uniform(*LATENCY))
            return self._effect(method, act, parameters)
        self.faulted.add(method)
        if fault is Mode.REPEATED and operation_name(method) in never_repeated:
            fault = Mode.TIMED_OUT_AFTER_EFFECT
        match fault:
            case Mode.KILLED_BEFORE:
                raise KilledError(method)
            case Mode.KILLED_AFTER:
                self.sleep(world.rng.uniform(*LATENCY))
                self._effect(method, act, parameters)
                raise KilledError(method)
            case Mode.THROTTLED:
                self.sleep(world.rng.uniform(0.1, 2.0))
                raise refusal("ThrottlingException", operation_name(method))
            case Mode.SERVER_ERROR:
                self.sleep(world.rng.uniform(0.1, 2.0))
                raise refusal("InternalFailure", operation_name(method), status=500)
            case Mode.UNREACHABLE:
                self.sleep(world.rng.uniform(1.0, 3.5))
                raise ConnectTimeoutError(endpoint_url=service)
            case Mode.TIMED_OUT:
                self.sleep(world.rng.uniform(*ALL_TRIES))
                raise ReadTimeoutError(endpoint_url=service)
            case Mode.TIMED_OUT_AFTER_EFFECT:
                self._effect(method, act, parameters)
                self.sleep(world.rng.uniform(*ALL_TRIES))
                raise ReadTimeoutError(endpoint_url=service)
            case Mode.SLOW:
                world.slowed(self, method)
                self.sleep(world.rng.uniform(*world.rng.choice(SLOW)))
                return self._effect(method, act, parameters)
            case Mode.REPEATED:
                answer = self._effect(method, act, parameters)
                self.sleep(world.rng.uniform(2.0, 4.0))
                # botocore sends a transaction with a token, so its repetition has no effect.
                if method == "transact_write_items":
                    return answer
                return self._effect(method, act, parameters)
            case Mode.PARTIAL:
                self.sleep(world.rng.uniform(*LATENCY))
                return _PARTIAL[method](self, method, act, parameters)

    def _effect(self, method: str, act: Callable[..., Any], parameters: Any) -> Any:
        self.world.observe(self, method, parameters)
        return act(**parameters)

    def _part_of_entries(self, method: str, act: Callable[..., Any], parameters: Any) -> Any:
        entries = parameters["Entries"]
        failed = self.world.rng.sample(entries, self.world.rng.randint(1, len(entries)))
        rest = [entry for entry in entries if entry not in failed]
        answer: dict[str, Any] = {}
        if rest:
            answer = self._effect(method, act, parameters | {"Entries": rest})
        refused = [
            {"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in failed
        ]
        return answer | {"Failed": answer.get("Failed", []) + refused}

    def _part_of_keys(self, method: str, act: Callable[..., Any], parameters: Any) -> Any:
        ((table, request),) = parameters["RequestItems"].items()
        done = self.world.rng.randrange(len(request["Keys"]))
        rest = request | {"Keys": request["Keys"][done:]}
        answer: dict[str, Any] = {"Responses": {table: []}}
        if done:
            part = request | {"Keys": request["Keys"][:done]}
            answer = self._effect(method, act, {"RequestItems": {table: part}})
        return answer | {"UnprocessedKeys": {table: rest}}

    def _part_of_writes(self, method: str, act: Callable[..., Any], parameters: Any) -> Any:
        ((table, requests),) = parameters["RequestItems"].items()
        done = self.world.rng.randrange(len(requests))
        if done:
            self._effect(method, act, {"RequestItems": {table: requests[:done]}})
        return {"UnprocessedItems": {table: requests[done:]}}


def _step(role: str, parameters: Any) -> str:
    """The step of a canary or of a replay that a call makes; "" for every other call."""
    if role == "replay":
        return "page of a replay" if "Entries" in parameters else ""
    change = str(parameters.get("UpdateExpression", "")) if role == "sender" else ""
    if "canaryAt = :until" in change:
        return "claim of a canary"
    if (
        "canaryAt = :canaryAt" in change
        and "attribute_not" not in parameters["ConditionExpression"]
    ):
        return "note of a canary"
    return ""


_PARTIAL: dict[str, Callable[[Process, str, Callable[..., Any], Any], Any]] = {
    "send_message_batch": Process._part_of_entries,
    "change_message_visibility_batch": Process._part_of_entries,
    "batch_get_item": Process._part_of_keys,
    "batch_write_item": Process._part_of_writes,
}


class Client:
    """A botocore client of one process, over a model."""

    def __init__(self, process: Process, model: Any, never_repeated: Collection[str] = ()) -> None:
        self._process = process
        self._model = model
        self._never_repeated = never_repeated
        self.meta = getattr(model, "meta", None)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        process, service = self._process, self._model.name
        act = getattr(self._model, method)

        def call(**parameters: Any) -> Any:
            return process.call(service, method, act, parameters, self._never_repeated)

        call.__name__ = method
        setattr(self, method, call)
        return call

    def get_paginator(self, method: str) -> "Paginator":
        """As a botocore client's."""
        return Paginator(getattr(self, method))


class Paginator:
    """As botocore's paginator. Each page is a call."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def paginate(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The pages of a query."""
        return dynamodb.pages(self._call, **parameters)


class InlineWorkers(Workers):
    """The sender's worker threads, in virtual time."""

    def __init__(self, process: Process, count: int) -> None:
        super().__init__(count)
        self._process = process

    def run(self, calls: Sequence[Callable[[], T]], seconds: float) -> "list[Future[T]]":
        """As `Workers.run`. A batch never has more calls than workers."""
        assert len(calls) <= self.count
        return self._process.together(calls, max(0.0, seconds))


class InlineExecutor(Executor):
    """Ingest's threads, in virtual time."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def map(  # type: ignore[override]  # the parameters that ingest uses
        self, fn: Callable[..., T], *iterables: Iterable[Any]
    ) -> Iterator[T]:
        """As `Executor.map`."""
        calls = [lambda given=given: fn(*given) for given in zip(*iterables, strict=True)]
        return iter([future.result() for future in self._process.together(calls)])


@dataclass(frozen=True)
class Context:
    """Lambda's context of one invocation."""

    process: Process
    ends_at: float

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout."""
        return max(0, int((self.ends_at - self.process.clock()) * 1000))
