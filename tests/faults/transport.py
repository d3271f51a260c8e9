"""A process's transport: the real one, in virtual time, over connections that are modelled."""

import errno
import http.client
import ssl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataconnectors.endpoints import connection, transport
from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.delivery_headers import Headers
from dataconnectors.endpoints.dialler import Dialler
from dataconnectors.endpoints.limits import Limits
from dataconnectors.endpoints.outcomes import Answer, FailureKind, NoAnswer, NoAnswerError
from tests.faults.models.endpoints import OUTLASTS, Behaviour
from tests.faults.plan import STEP_FACTOR
from tests.faults.process import KilledError, Process

if TYPE_CHECKING:
    from tests.faults.accounts import Account
    from tests.faults.world import World

WITHOUT_CONNECTION = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS})

CLOSED_RATE, DEAD_RATE = 0.03, 0.01
"""Shares of kept connections that their endpoint is seen to have closed, and of those that turn out
to be dead in each of three ways when they are used again; in a run of intensity 1."""

UNACKNOWLEDGED_SECONDS = 3.0
"""Until the system notices that nobody confirms what was sent."""

AT_ONCE = (0.001, 0.2)
"""Seconds until a reset arrives."""

ROUNDING = 0.001
"""Seconds. An attempt that ends at its deadline is in time, and is over."""


@dataclass(eq=False)
class Attempt:
    """An attempt under way, and its requests so far.

    It `may_repeat` a request as long as none has gone over a new connection, and no byte of an
    answer has come. It `has_dialled` when it has tried a new connection.
    """

    where: "tuple[Account, int] | None"
    behaviour: Behaviour
    requests: int = 0
    may_repeat: bool = True
    has_dialled: bool = False


class Transport(transport.Transport):
    """Tells the ledger of each attempt, and of each request that an endpoint has saved."""

    attempt: Attempt

    def __init__(self, world: "World", process: Process) -> None:
        super().__init__(_NO_TLS, _NO_DIALLER, clock=process.clock)
        self.world = world
        self.process = process

    def post(
        self, destination: Destination, headers: Headers, body: bytes, timeout: float
    ) -> Answer | NoAnswer:
        """As the real one, without its notes: they have this machine's time."""
        world, process = self.world, self.process
        endpoint = world.endpoint(destination.host)
        behaviour = endpoint.behave(world.scheduler.now)
        healthy_since = endpoint.healthy_since(world.scheduler.now)
        where = world.ledger.posted(
            process, destination, headers, body, healthy_since=healthy_since
        )
        self.attempt = Attempt(where, behaviour)
        began = process.clock()
        answer = replace(super().post(destination, headers, body, timeout), trace=None)
        seconds = process.clock() - began
        if where is not None:
            self._check(destination, answer, seconds < timeout)
            in_time = seconds <= timeout + ROUNDING
            world.ledger.answered(process, where, seconds, answer if in_time else None)
        return answer

    def _check(self, destination: Destination, answer: Answer | NoAnswer, has_time: bool) -> None:
        """A kept connection that is dead fails no attempt while there is time for another one."""
        attempt = self.attempt
        gave_up = attempt.may_repeat and not attempt.has_dialled
        if isinstance(answer, NoAnswer) and gave_up and has_time:
            self.world.ledger.violated(
                f"an attempt at {destination.host} failed because a kept connection was dead"
            )

    def _new(self, destination: Destination) -> connection.Connection:
        self.opened += 1
        return Connection(self, destination)


class Connection(connection.Connection):
    """A connection to a customer's endpoint. Once used, it may be dead when it is used again."""

    def __init__(self, owner: Transport, destination: Destination) -> None:
        super().__init__(destination.host, destination.port, None, _NO_DIALLER)
        self._owner = owner
        self._is_open = False
        self._is_used = False

    @property
    def is_closed(self) -> bool:
        """Whether it has to connect before it can be used."""
        return not self._is_open

    @property
    def is_connected(self) -> bool:
        """Whether the endpoint is not seen to have closed it."""
        return not self._owner.world.plan.roll("kept connection was closed", CLOSED_RATE)

    def close(self) -> None:
        """Close it on this side."""
        self._is_open = False

    def begin(self, limits: Limits) -> None:
        """Connect if necessary."""
        self._limits = limits
        attempt = self._owner.attempt
        if self.is_closed:
            attempt.has_dialled = True
            if _refuses(attempt.behaviour):
                self._wait(attempt.behaviour.seconds)
                raise _error(attempt.behaviour)
            self._is_open = True

    def post(self, target: str, headers: Headers, body: bytes) -> Answer:
        """The answer of the endpoint, as it behaves in this attempt."""
        world, process = self._owner.world, self._owner.process
        attempt = self._owner.attempt
        attempt.requests += 1
        if attempt.requests > 1 and not attempt.may_repeat:
            world.ledger.violated(f"{_named(attempt)} was posted again in the same attempt")
        is_canary = process.invocation.claim is not None
        step, factor = ("POST of a canary", STEP_FACTOR) if is_canary else ("POST", 1)
        kill = world.plan.kill(process.role, step, factor)
        if kill == "before":
            raise KilledError("before a POST")
        if self._is_used:
            self._be_dead(attempt)
        self._is_used, attempt.may_repeat = True, self._is_used
        self._save(attempt)
        if kill == "after":
            raise KilledError("after a POST")
        behaviour = attempt.behaviour
        self._wait(behaviour.seconds, outlasts=behaviour is OUTLASTS)
        if behaviour.begins:
            self._limits.receive(1)
            attempt.may_repeat = False
        if isinstance(behaviour.answer, NoAnswer):
            raise _error(behaviour)
        return behaviour.answer

    def _be_dead(self, attempt: Attempt) -> None:
        """Perhaps break before a byte of an answer has come."""
        plan = self._owner.world.plan
        if _refuses(attempt.behaviour) or plan.roll("kept connection is reset", DEAD_RATE):
            self._wait(AT_ONCE)
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        if plan.roll("kept connection ends after its request", DEAD_RATE):
            self._save(attempt)
            self._wait(attempt.behaviour.seconds)
            raise http.client.RemoteDisconnected("Remote end closed connection without response")
        if plan.roll("kept connection is forgotten", DEAD_RATE):
            self._wait((UNACKNOWLEDGED_SECONDS, UNACKNOWLEDGED_SECONDS))
            raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

    def _save(self, attempt: Attempt) -> None:
        """The endpoint has handled a request."""
        if attempt.behaviour.saves and attempt.where is not None:
            self._owner.world.ledger.saved(self._owner.process, attempt.where)

    def _wait(self, between: tuple[float, float], *, outlasts: bool = False) -> None:
        """Let time pass, but not more than the attempt has left."""
        process = self._owner.process
        seconds, left = self._owner.world.rng.uniform(*between), self._limits.remaining()
        if outlasts or seconds < left:
            process.sleep(seconds)
            return
        process.sleep(left + ROUNDING / 2)
        raise TimeoutError


_NO_TLS, _NO_DIALLER = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), Dialler(())
"""Nothing is dialled."""


def _refuses(behaviour: Behaviour) -> bool:
    """Whether an endpoint takes no connection."""
    answer = behaviour.answer
    return isinstance(answer, NoAnswer) and answer.kind in WITHOUT_CONNECTION


def _error(behaviour: Behaviour) -> NoAnswerError:
    assert isinstance(behaviour.answer, NoAnswer)
    return NoAnswerError(behaviour.answer.kind, behaviour.answer.message)


def _named(attempt: Attempt) -> str:
    return "nothing" if attempt.where is None else f"event {attempt.where[1]}"
