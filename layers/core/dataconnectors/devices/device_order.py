"""Device orders: in which order a list shows devices, and where its next page begins."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dataconnectors.aws import gateway
from dataconnectors.devices.device import DeviceState
from dataconnectors.events.event_types import EVENT_TYPES
from dataconnectors.kernel import paging
from dataconnectors.kernel.errors import BadRequestError

_PLAIN_FIELDS = ("name", "type", "productNumber")

SortKey = tuple[int, float, str]
"""Orders any two JSON values: numbers before texts before everything else."""

Position = tuple[SortKey | None, str]
"""A place in an ordered list: a device's sort key, None without one, and its id."""

OrderedDevices = list[tuple[SortKey | None, DeviceState]]
"""Devices in order, each with its sort key, None for a device that lacks the field."""


@dataclass(frozen=True, slots=True)
class DeviceOrder:
    """An order by the field at `path`, such as `("reported", "temperature", "value")`."""

    path: tuple[str, ...]
    descending: bool

    def sort_key(self, state: DeviceState) -> SortKey | None:
        """Return the key to order a device by; None when it lacks the field."""
        root, *steps = self.path
        value: Any
        if root == "reported":
            text = state.events.get(steps[0])
            value = json.loads(text)["data"] if text else {}
        elif root == "labels":
            value = state.device.labels
        else:
            value = state.device.to_api()[root]
        for step in steps:
            if not isinstance(value, Mapping) or step not in value:
                return None
            value = value[step]
        return _sort_key_of(value)

    def sort(self, states: Iterable[DeviceState]) -> OrderedDevices:
        """Return the devices in order.

        Those that lack the field come last, ascending or descending, in the order of their ids.
        """
        keyed = [(self.sort_key(state), state) for state in states]
        with_field = [(key, state.device.id, state) for key, state in keyed if key is not None]
        with_field.sort(key=lambda entry: entry[:2], reverse=self.descending)
        without = sorted(
            (state for key, state in keyed if key is None), key=lambda state: state.device.id
        )
        return [
            *((key, state) for key, _, state in with_field),
            *((None, state) for state in without),
        ]

    def after(self, ordered: OrderedDevices, position: Position) -> OrderedDevices:
        """Return the devices of `ordered` that come after `position`.

        The device at the position may be gone by now.
        """
        for start, (key, state) in enumerate(ordered):
            if self._is_after((key, state.device.id), position):
                return ordered[start:]
        return []

    def _is_after(self, here: Position, there: Position) -> bool:
        (key, device_id), (key_there, id_there) = here, there
        if key is None or key_there is None:
            return key is None and (key_there is not None or device_id > id_there)
        if self.descending:
            return (key, device_id) < (key_there, id_there)
        return (key, device_id) > (key_there, id_there)


def parse_device_order(event: Mapping[str, Any]) -> DeviceOrder | None:
    """Read the order that an API Gateway event asks for; None for the order of ids.

    Raises `BadRequestError` for a field that lists cannot be ordered by.
    """
    texts = [text for text in gateway.query(event, "order_by", "orderBy") if text]
    if not texts:
        return None
    if len(texts) > 1:
        raise BadRequestError("order_by: one field, such as -reported.temperature.value")
    field = texts[0].removeprefix("-")
    root, _, rest = field.partition(".")
    path: tuple[str, ...] = (field,)
    if root == "labels":
        path = (root, rest)  # A label's key may have dots.
    elif root == "reported":
        path = (root, *rest.split("."))
    known = (
        field in _PLAIN_FIELDS
        or (root == "labels" and bool(rest))
        or (root == "reported" and path[1] in EVENT_TYPES and "" not in path and len(path) > 2)
    )
    if not known:
        raise BadRequestError(
            f"order_by: {field!r:.80} is unknown, expected {', '.join(_PLAIN_FIELDS)}, "
            "labels.<key> or reported.<event type>.<field>"
        )
    return DeviceOrder(path, descending=texts[0].startswith("-"))


def parse_position(token: list[Any] | None) -> Position | None:
    """Return the position that an ordered list's page token holds; None on the first page.

    Raises `BadRequestError` for a token of another list.
    """
    match token:
        case None:
            return None
        case [None, str(device_id)]:
            return None, device_id
        case [[int(kind), float(number), str(text)], str(device_id)]:
            return (kind, number, text), device_id
    raise paging.wrong_token()


def _sort_key_of(value: Any) -> SortKey:
    if isinstance(value, int | float):
        return 0, float(value), ""
    if isinstance(value, str):
        return 1, 0.0, value
    return 2, 0.0, json.dumps(value, sort_keys=True)
