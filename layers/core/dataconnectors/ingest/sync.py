"""Sync: the latest event of each type of each device once more, to one connector alone."""

import json
from collections.abc import Callable, Iterator

from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.devices.device import DeviceState
from dataconnectors.events.event import Event
from dataconnectors.ingest.acceptance import fan_out
from dataconnectors.ingest.queues import ConnectorQueues, QueueEntry
from dataconnectors.kernel.errors import EventError, UnavailableError
from dataconnectors.store import keys
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore

AT_ONCE = 1000
"""Messages that are sent together: a hundred calls in parallel, and a few MB of memory."""


class Sync:
    """Sends what devices reported last. Repeating it sends all of it again, with the same ids."""

    def __init__(
        self,
        connectors: ConnectorStore,
        devices: DeviceStore,
        queues: ConnectorQueues,
        now: Callable[[], float],
    ) -> None:
        """`now` gives epoch seconds."""
        self._connectors = connectors
        self._devices = devices
        self._queues = queues
        self._now = now

    def run(self, name: str) -> int:
        """Sync the connector `name`; how many events were put into its queue.

        Ends early when it is disabled or deleted meanwhile. Raises `UnavailableError` when its
        queue did not take all: to be repeated as a whole.
        """
        begun = self._connectors.connector(name)
        if begun is None:
            return 0
        sent = 0
        for partition in keys.device_partitions(begun.project):
            current = self._connectors.connector(name)
            if (
                current is None
                or current.lifecycle is not Lifecycle.READY
                or not current.sends(begun.epoch)
            ):
                break
            batch: list[QueueEntry] = []
            for text in self._messages(current, partition):
                batch.append(QueueEntry(len(batch), text))
                if len(batch) == AT_ONCE:
                    sent += self._send(current, batch)
                    batch = []
            sent += self._send(current, batch)
        return sent

    def _messages(self, connector: Connector, partition: str) -> Iterator[str]:
        for state in self._devices.states(connector.project, partition):
            for event in _events(state):
                try:
                    messages = fan_out(event, state.device, [connector], self._now())
                except EventError:
                    continue  # Too large with the labels that the device has got since
                for _, text in messages:
                    yield text

    def _send(self, connector: Connector, batch: list[QueueEntry]) -> int:
        if not batch:
            return 0
        sent = self._queues.send({connector.queue_url: batch})[connector.queue_url]
        if sent.refused and not sent.missing:
            reason = next(iter(sent.refused.values()))
            raise UnavailableError(
                f"{len(sent.refused)} events were not taken by the queue of {connector.name} "
                f"({reason}): sync it again"
            )
        return len(batch) - len(sent.refused)


def _events(state: DeviceState) -> Iterator[Event]:
    for event_type, text in state.events.items():
        yield Event(json.loads(text)["eventId"], state.device.id, event_type, 0.0, text)
