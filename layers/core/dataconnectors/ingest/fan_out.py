"""Fan-out: from one event to one queue message for each connector that wants it."""

from collections.abc import Sequence

from dataconnectors.connectors.connector import Connector
from dataconnectors.devices.device import Device
from dataconnectors.events.event import Event
from dataconnectors.events.message import MAXIMUM_BYTES, Message
from dataconnectors.kernel import jsontext
from dataconnectors.kernel.errors import EventError


def fan_out(
    event: Event,
    device: Device,
    connectors: Sequence[Connector],
    now: float,
    *,
    origin: str = "",
) -> list[tuple[Connector, str]]:
    """Return the connectors that want the event's type, each with the text of its message.

    `device` is the one that sent the event, and `now`, in epoch seconds, when it was accepted.
    `origin` is that of a `Message`.
    Connectors that include the same labels get the same body, which is made once. Raises
    `EventError` when a message is too large; then no connector gets the event.
    """
    metadata = jsontext.dumps(
        {
            "deviceId": device.id,
            "projectId": device.project,
            "deviceType": device.type,
            "productNumber": device.product_number,
        }
    )
    messages = []
    bodies: dict[tuple[str, ...], str] = {}
    for connector in connectors:
        if connector.event_types and event.type not in connector.event_types:
            continue
        body = bodies.get(connector.labels)
        if body is None:
            included = {key: device.labels[key] for key in connector.labels if key in device.labels}
            labels = jsontext.dumps(included)
            body = f'{{"event":{event.json},"labels":{labels},"metadata":{metadata}}}'
            bodies[connector.labels] = body
        text = Message(
            connector.name, connector.epoch, event.id, int(now * 1000), body, origin
        ).to_text()
        if len(text) > MAXIMUM_BYTES:
            raise EventError(
                f"{len(text)} bytes as a message of {connector.name}, with labels and escapes, "
                f"at most {MAXIMUM_BYTES}"
            )
        messages.append((connector, text))
    return messages
