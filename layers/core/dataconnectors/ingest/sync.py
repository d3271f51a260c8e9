"""Sync: sending the last event of each type of each device once more, to one connector only."""

import json
from collections.abc import Callable, Iterator

from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.devices.device import DeviceState
from dataconnectors.events.event import Event
from dataconnectors.ingest.fan_out import fan_out
from dataconnectors.ingest.queues import ConnectorQueues, QueueEntry
from dataconnectors.kernel.errors import EventError, UnavailableError
from dataconnectors.store import keys
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore

MESSAGES_PER_SEND = 1000
"""Messages that are sent together: a hundred calls in parallel, and a few MB of memory."""


class Sync:
    """Sends what devices reported last. A repeated sync sends all again, with the same ids."""

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

    def run(self, connector_name: str) -> int:
        """Sync the connector and return how many events were put into its queue.

        Ends early when the connector is disabled or deleted meanwhile. Raises `UnavailableError`
        when the queue did not take all events: the whole sync has to be repeated.
        """
        at_start = self._connectors.connector(connector_name)
        if at_start is None:
            return 0
        sent = 0
        for partition in keys.device_partitions(at_start.project):
            current = self._connectors.connector(connector_name)
            if (
                current is None
                or current.lifecycle is not Lifecycle.READY
                or not current.sends(at_start.epoch)
            ):
                break
            batch: list[QueueEntry] = []
            for text in self._message_texts(current, partition):
                batch.append(QueueEntry(len(batch), text))
                if len(batch) == MESSAGES_PER_SEND:
                    sent += self._send(current, batch)
                    batch = []
            sent += self._send(current, batch)
        return sent

    def _message_texts(self, connector: Connector, partition: str) -> Iterator[str]:
        """Yield the messages of one partition's devices that the connector wants."""
        for state in self._devices.states(connector.project, partition):
            for event in _last_events(state):
                try:
                    messages = fan_out(event, state.device, [connector], self._now())
                except EventError:
                    continue  # With the labels that the device has now, the event is too large.
                for _, text in messages:
                    yield text

    def _send(self, connector: Connector, batch: list[QueueEntry]) -> int:
        if not batch:
            return 0
        result = self._queues.send({connector.queue_url: batch})[connector.queue_url]
        if result.unconfirmed and not result.queue_missing:
            reason = next(iter(result.unconfirmed.values()))
            raise UnavailableError(
                f"{len(result.unconfirmed)} events were not taken by the queue of {connector.name} "
                f"({reason}): sync it again"
            )
        return len(batch) - len(result.unconfirmed)


def _last_events(state: DeviceState) -> Iterator[Event]:
    """Yield a device's last events. Fan-out does not use their timestamps, which are left 0."""
    for event_type, text in state.events.items():
        yield Event(json.loads(text)["eventId"], state.device.id, event_type, 0.0, text)
