"""Lambda's pollers, which invoke the sender with batches and delete messages after its answer."""

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.faults.accounts import Batch
from tests.faults.models.mappings import to_delete
from tests.faults.models.sqs import Message, Queue, attributes, oldest
from tests.faults.process import EPOCH, KilledError

if TYPE_CHECKING:
    from tests.faults.world import World

THROTTLED_RATE = 0.97
"""The share of batches that are not invoked while the sender is throttled. AWS: such a batch is
received again after the visibility timeout, and the receive counts."""

POLL_SECONDS = (0.005, 0.2)
"""Seconds from a message's arrival to its receive."""


class Poller:
    """Lambda's poller of one queue. It takes batches of ten and extends no visibility timeouts."""

    def __init__(self, world: "World", queue: Queue) -> None:
        self.stopped = False
        self._world = world
        self._queue = queue
        self._running = 0
        self._wakes_at = float("inf")
        self._limit = int(os.environ["MAXIMUM_CONCURRENCY"])

    def wake_in(self, seconds: float) -> None:
        """Poll after so many seconds, unless a poll comes sooner."""
        self._wake_at(self._world.scheduler.now + seconds)

    def _wake_at(self, moment: float) -> None:
        if moment < self._wakes_at:
            self._wakes_at = moment
            self._world.scheduler.at(moment, partial(self._poll, moment))

    def _poll(self, moment: float) -> None:
        if moment != self._wakes_at or self.stopped:
            return
        self._wakes_at = float("inf")
        world, queue, plan = self._world, self._queue, self._world.plan
        now = world.scheduler.now
        while self._running < self._limit:
            shuffled = plan.roll("received out of order", 0.2 / plan.intensity)
            pick = world.rng.randrange if shuffled else oldest
            size = 10 if world.rng.random() < 0.8 else world.rng.randint(1, 9)
            messages = queue.receive(size, queue.visibility_timeout, pick)
            if not messages:
                break
            throttled = THROTTLED_RATE if plan.is_down("concurrency", now) else 0.01
            if plan.roll("received without invocation", throttled):
                world.ledger.outages.uninvoked(messages)
                continue
            batch = Batch(
                queue,
                messages,
                [message.handle for message in messages],
                [message.receives for message in messages],
            )
            event = {"Records": [self._received(message) for message in messages]}
            if plan.roll("received twice", 0.01):
                twice = world.rng.choice(messages)
                batch.may_come_again = [twice.id]
                queue.change(twice, world.rng.uniform(0, 20))
            self._running += 1
            work = partial(world.scheduler.spawn, partial(self._invoke, batch, event))
            if plan.roll("invoked when visibility runs out", 0.005):
                seconds = queue.visibility_timeout - world.rng.uniform(0, 15)
                batch.may_come_again = [message.id for message in messages]
                world.ledger.outages.uninvoked(messages)
                world.scheduler.after(seconds, work)
            else:
                work()
        if self._running == self._limit:
            world.ledger.outages.crowded(queue.messages.values())
            return  # the end of an invocation wakes it
        timer = queue.next_timer()
        if timer is not None:
            self._wake_at(timer - EPOCH)

    def _invoke(self, batch: Batch, event: Any) -> None:
        world, plan = self._world, self._world.plan
        ids = [message.id for message in batch.messages]
        try:
            process = world.environment("sender")
            answer = world.invoke(process, event, batch)
            deleted = to_delete(answer, ids)
            world.ledger.finished(
                batch,
                deleted,
                world.scheduler.now,
                process.faulted,
            )
            if plan.roll("sender's answer is lost", 0.005):
                deleted = None
            world.scheduler.sleep(world.rng.uniform(0.002, 0.05))
            self._delete(batch, deleted or ())
        except KilledError:
            world.ledger.outages.died(batch)
        except Exception as error:  # noqa: BLE001  # Lambda takes it for a failure of the batch
            world.ledger.violated(f"the sender raised {error!r}")
        self._running -= 1
        self.wake_in(0.0)

    def _delete(self, batch: Batch, deleted: Sequence[str]) -> None:
        for message, handle in zip(batch.messages, batch.handles, strict=True):
            # The handle of an older receive deletes nothing.
            gone = self._queue.messages.get(message.id) is None or message.handle != handle
            if message.id not in deleted or gone:
                continue
            if self._world.plan.roll("delete is lost", 0.005):
                continue
            self._queue.remove(message)
            self._world.ledger.acknowledged_to_sqs(message, batch)

    def _received(self, message: Message) -> dict[str, Any]:
        return {
            "messageId": message.id,
            "receiptHandle": message.handle,
            "body": message.body,
            "attributes": attributes(message),
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue.arn,
            "awsRegion": "us-east-1",
        }
