"""Which devices a list shows, and in which order."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from dataconnectors.aws import gateway
from dataconnectors.devices.device import DEVICE_TYPES, Device, DeviceState
from dataconnectors.events.event_types import EVENT_TYPES
from dataconnectors.kernel import paging
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.kernel.ids import is_id

MAXIMUM_IDS = 100
"""Devices that one list may name. Each is looked up by itself."""

_PLAIN_FIELDS = ("name", "type", "productNumber")

SortKey = tuple[int, float, str]
"""Orders any two JSON values: numbers before texts before everything else."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a device has to be like to be listed; what is empty lets every device pass.

    `words` are searched in ids, types and labels; all have to be found. `labels` are keys with
    the value that a device's label must have, "" for any.
    """

    ids: frozenset[str]
    types: frozenset[str]
    product_numbers: frozenset[str]
    labels: tuple[tuple[str, str], ...]
    words: tuple[str, ...]

    def chooses(self) -> bool:
        """Whether devices have to be looked at, those aside that are named by their ids."""
        return bool(self.types or self.product_numbers or self.labels or self.words)

    def matches(self, device: Device) -> bool:
        """Whether a device is to be listed."""
        return (
            (not self.ids or device.id in self.ids)
            and (not self.types or device.type in self.types)
            and (not self.product_numbers or device.product_number in self.product_numbers)
            and all(_has(device.labels, key, value) for key, value in self.labels)
            and (not self.words or self._finds(device))
        )

    def _finds(self, device: Device) -> bool:
        labels = (text for label in device.labels.items() for text in label)
        searched = "\n".join((device.id, device.type, device.product_number, *labels)).casefold()
        return all(word in searched for word in self.words)


@dataclass(frozen=True, slots=True)
class Order:
    """By the field that `path` leads to: `("reported", "temperature", "value")`."""

    path: tuple[str, ...]
    descending: bool

    def key(self, state: DeviceState) -> SortKey | None:
        """What to order a device by; None for one that has no such field."""
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
        return _sort_key(value)

    def sort(self, states: Iterable[DeviceState]) -> list[tuple[SortKey | None, DeviceState]]:
        """Devices with their keys, in order; those without the field come last either way."""
        keyed = [(self.key(state), state) for state in states]
        with_field = [(key, state.device.id, state) for key, state in keyed if key is not None]
        with_field.sort(key=lambda entry: entry[:2], reverse=self.descending)
        without = sorted(
            (state for key, state in keyed if key is None), key=lambda state: state.device.id
        )
        return [
            *((key, state) for key, _, state in with_field),
            *((None, state) for state in without),
        ]


def parse_filter(event: Mapping[str, Any]) -> Filter:
    """Read a request's filters; raises `BadRequestError` that names the parameter."""
    types = _values(event, "device_types", "deviceTypes")
    for device_type in types:
        if device_type not in DEVICE_TYPES:
            raise BadRequestError(f"device_types: {device_type!r:.40} is unknown")
    ids = _values(event, "device_ids", "deviceIds")
    for device_id in ids:
        if not is_id(device_id):
            raise BadRequestError(f"device_ids: {device_id!r:.40} is no id")
    if len(ids) > MAXIMUM_IDS:
        raise BadRequestError(f"device_ids: {len(ids)} given, at most {MAXIMUM_IDS}")
    query = ",".join(gateway.query(event, "query"))
    return Filter(
        ids=ids,
        types=types,
        product_numbers=_values(event, "product_numbers", "productNumbers"),
        labels=tuple(_labels(event)),
        words=tuple(query.casefold().split()),
    )


def parse_order(event: Mapping[str, Any]) -> Order | None:
    """Read a request's order; None for that of the ids. Raises `BadRequestError`."""
    texts = [text for text in gateway.query(event, "order_by", "orderBy") if text]
    if not texts:
        return None
    if len(texts) > 1:
        raise BadRequestError("order_by: one field, such as -reported.temperature.value")
    field = texts[0].removeprefix("-")
    root, _, rest = field.partition(".")
    path: tuple[str, ...] = (field,)
    if root == "labels":
        path = (root, rest)  # a label's key may have dots
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
    return Order(path, descending=texts[0].startswith("-"))


def after(
    ordered: list[tuple[SortKey | None, DeviceState]],
    order: Order,
    position: tuple[SortKey | None, str],
) -> list[tuple[SortKey | None, DeviceState]]:
    """What comes behind a position, which need not be there any more."""
    key_there, id_there = position

    def is_behind(key: SortKey | None, device_id: str) -> bool:
        if key is None or key_there is None:
            return key is None and (key_there is not None or device_id > id_there)
        here, there = (key, device_id), (key_there, id_there)
        return here < there if order.descending else here > there

    for start, (key, state) in enumerate(ordered):
        if is_behind(key, state.device.id):
            return ordered[start:]
    return []


def read_position(position: list[Any] | None) -> tuple[SortKey | None, str] | None:
    """What a page token of an ordered list holds; raises `BadRequestError`."""
    match position:
        case None:
            return None
        case [None, str(device_id)]:
            return None, device_id
        case [[int(kind), float(number), str(text)], str(device_id)]:
            return (kind, number, text), device_id
    raise paging.bad_token()


def _has(labels: Mapping[str, str], key: str, value: str) -> bool:
    return key in labels and (not value or labels[key] == value)


def _values(event: Mapping[str, Any], *names: str) -> frozenset[str]:
    return frozenset(text for text in gateway.query(event, *names) if text)


def _labels(event: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """`key=value`, `key=` and `key`. An encoded comma belongs to a label, a plain one parts two."""
    for pair in (event.get("rawQueryString") or "").split("&"):
        name, _, values = pair.partition("=")
        if unquote_plus(name) in ("label_filters", "labelFilters"):
            for text in values.split(","):
                key, _, value = unquote_plus(text).partition("=")
                if key:
                    yield key, value


def _sort_key(value: Any) -> SortKey:
    if isinstance(value, int | float):
        return 0, float(value), ""
    if isinstance(value, str):
        return 1, 0.0, value
    return 2, 0.0, json.dumps(value, sort_keys=True)
