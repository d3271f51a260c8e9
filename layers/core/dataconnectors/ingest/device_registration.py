"""Device registration: how a device that sends its first event becomes known."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dataconnectors.devices.device import DEVICE_TYPE_OF_EVENT, Device
from dataconnectors.events.event import Event
from dataconnectors.events.event_types import LABELS_CHANGED
from dataconnectors.kernel import times
from dataconnectors.store.devices import DeviceStore


def register_devices(
    store: DeviceStore,
    project: str,
    known: Mapping[str, Device],
    events: Iterable[Event],
    now: float,
) -> Mapping[str, Device]:
    """Store the devices that the events come from and that are not `known` yet.

    Returns all devices, `known` and new, by id. A new device gets its type from its events, and so
    does a known one without a type. `now` is in epoch seconds. A labelsChanged event registers no
    device: it may arrive after its device was deleted.
    """
    type_by_device: dict[str, str] = {}
    for event in events:
        if event.type != LABELS_CHANGED:
            shown_type = DEVICE_TYPE_OF_EVENT.get(event.type, "")
            type_by_device[event.device] = type_by_device.get(event.device) or shown_type
    devices = dict(known)
    new: list[Device] = []
    for device_id, device_type in type_by_device.items():
        device = devices.get(device_id)
        if device is None:
            device = Device(project, device_id, device_type, {}, "", times.to_text(now))
            new.append(device)
        elif device_type and not device.type:
            device = replace(device, type=device_type)
            store.set_type(device)
        devices[device_id] = device
    if new:
        store.register(new)
    return devices
