"""The pace of a replay: so slow that no fresh event waits behind it.

SQS has no priorities, and a connector has one queue: a fresh event comes after what is in the queue
already. So a replay keeps the queue short. It sends a page of messages, looks at the queue, and
sends the next page only while fewer than a page are waiting there and no more are in flight than
deliveries to a healthy endpoint can be. A fresh event then has two pages of the replay before it at
most. What is in flight beyond that has failed and waits for its next attempt: an endpoint that
fails gets no further load from a replay.
"""

from dataclasses import dataclass

from dataconnectors.aws.queue_depth import QueueDepth

PAGE_MESSAGES = 100
"""Messages that are sent together, and after which a run saves how far it is: this many are sent
twice when a process dies. Ten calls to SQS in parallel."""

BATCH_MESSAGES = 10
"""Messages of one invocation of the sender, see `provisioning.blueprint.BATCH_SIZE`."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` is in messages a second; `maximum_concurrency` that of a connector's mapping.

    `page_messages` are sent together.
    """

    rate: float
    maximum_concurrency: int
    page_messages: int = PAGE_MESSAGES

    def holds_back(self, depth: QueueDepth) -> bool:
        """Whether a replay sends nothing into a queue of this depth."""
        most_in_flight = self.maximum_concurrency * BATCH_MESSAGES
        return depth.waiting >= self.page_messages or depth.in_flight > most_in_flight

    def pause_after(self, messages: int) -> float:
        """Seconds from sending a page of so many messages to sending the next one."""
        return messages / self.rate
