"""An event source mapping: Lambda's processes that read one queue, as AWS documents them."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from tests.faults.models.sqs import Message
from tests.faults.process import EPOCH
from tests.outages.account import RETRY_SECONDS
from tests.outages.ramp import Ramp

if TYPE_CHECKING:
    from tests.scale.account import Account, Environment, Line


class Poller:
    """As `tests.outages.account.Poller`, without threads: each process makes long polls for up to
    ten messages, has them sent, deletes what was delivered, and polls again."""

    def __init__(self, account: "Account", line: "Line", maximum: int, batch: int) -> None:
        self._ramp = Ramp(maximum)
        self._running = 0
        self._batch = batch
        self._account = account
        self._engine = account.engine
        self._line = line
        self._queue = line.queue
        self._wakes_at = float("inf")

    def wake_in(self, seconds: float) -> None:
        """Poll after so many seconds, unless a poll comes sooner."""
        self._wake_at(self._engine.now + seconds)

    def _wake_at(self, moment: float) -> None:
        if moment < self._wakes_at:
            self._wakes_at = moment
            self._engine.at(moment, partial(self._poll, moment))

    def _poll(self, moment: float) -> None:
        if moment != self._wakes_at:
            return
        self._wakes_at = float("inf")
        queue, engine, account = self._queue, self._engine, self._account
        while self._running < self._ramp.processes:
            messages = queue.receive(self._batch, queue.visibility_timeout)
            if not messages:
                break
            account.usage.sqs += 1
            group = account.groups[self._line.group]
            group.in_flight = max(group.in_flight, queue.in_flight)
            self._running += 1
            handles = [message.handle for message in messages]
            given_up = engine.now + queue.visibility_timeout
            seconds = account.rng.uniform(*account.times.answer_of_poll)
            wait = RETRY_SECONDS[0]
            engine.after(seconds, partial(self._invoke, messages, handles, wait, given_up))
        else:
            if queue.visible:
                self._ramp.left(engine.now)
            return  # the end of an invocation wakes it
        self._ramp.emptied(engine.now)
        timer = queue.next_timer()
        if timer is not None:
            self._wake_at(timer - EPOCH)

    def _invoke(
        self, messages: Sequence[Message], handles: Sequence[str], wait: float, given_up: float
    ) -> None:
        account, engine = self._account, self._engine
        got = account.environment()
        if got is None:
            account.throttled += 1
            if engine.now + wait >= given_up:
                self._over()  # the messages have come back
            else:
                longer = min(2 * wait, RETRY_SECONDS[1])
                engine.after(wait, partial(self._invoke, messages, handles, longer, given_up))
            return
        environment, start = got
        engine.after(
            start + account.times.overhead,
            partial(self._send, environment, messages, handles, engine.now),
        )

    def _send(
        self,
        environment: "Environment",
        messages: Sequence[Message],
        handles: Sequence[str],
        begun: float,
    ) -> None:
        kept, took = environment.send(self._line, messages, handles)
        self._engine.after(took, partial(self._sent, environment, begun, messages, handles, kept))

    def _sent(
        self,
        environment: "Environment",
        begun: float,
        messages: Sequence[Message],
        handles: Sequence[str],
        kept: set[str],
    ) -> None:
        account = self._account
        account.release(environment, begun)
        delivered = [
            (message, handle)
            for message, handle in zip(messages, handles, strict=True)
            if message.id not in kept
        ]
        if not delivered:
            self._over()
            return
        account.usage.sqs += 1
        seconds = account.rng.uniform(*account.times.answer_of_poll)
        self._engine.after(seconds, partial(self._delete, delivered))

    def _delete(self, delivered: Sequence[tuple[Message, str]]) -> None:
        for message, handle in delivered:
            if message.handle == handle and message.id in self._queue.messages:
                self._queue.remove(message)
        self._over()

    def _over(self) -> None:
        self._running -= 1
        self.wake_in(0.0)
