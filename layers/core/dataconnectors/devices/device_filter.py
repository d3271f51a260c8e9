"""Device filters: which devices a list shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from dataconnectors.aws import gateway
from dataconnectors.devices.device import DEVICE_TYPES, Device
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.kernel.ids import is_id

MAXIMUM_IDS = 100
"""Devices that one list may name by id. Each takes a read of its own."""


@dataclass(frozen=True, slots=True)
class DeviceFilter:
    """What a device has to match to be listed; an empty field lets every device pass.

    `labels` are pairs of a key and the value that the device's label must have, "" for any value.
    `words` are searched, ignoring case, in id, type, product number and labels; all must be found.
    """

    ids: frozenset[str]
    types: frozenset[str]
    product_numbers: frozenset[str]
    labels: tuple[tuple[str, str], ...]
    words: tuple[str, ...]

    def has_criteria_beyond_ids(self) -> bool:
        """Whether a device has to be read to tell whether it matches: its id does not show it."""
        return bool(self.types or self.product_numbers or self.labels or self.words)

    def matches(self, device: Device) -> bool:
        """Whether a device is to be listed."""
        return (
            (not self.ids or device.id in self.ids)
            and (not self.types or device.type in self.types)
            and (not self.product_numbers or device.product_number in self.product_numbers)
            and all(_has_label(device.labels, key, value) for key, value in self.labels)
            and (not self.words or self._has_all_words(device))
        )

    def _has_all_words(self, device: Device) -> bool:
        labels = (text for label in device.labels.items() for text in label)
        searched = "\n".join((device.id, device.type, device.product_number, *labels)).casefold()
        return all(word in searched for word in self.words)


def parse_device_filter(event: Mapping[str, Any]) -> DeviceFilter:
    """Read the filters of an API Gateway event; raises `BadRequestError` naming the parameter."""
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
    return DeviceFilter(
        ids=ids,
        types=types,
        product_numbers=_values(event, "product_numbers", "productNumbers"),
        labels=tuple(_label_filters(event)),
        words=tuple(query.casefold().split()),
    )


def _has_label(labels: Mapping[str, str], key: str, value: str) -> bool:
    return key in labels and (not value or labels[key] == value)


def _values(event: Mapping[str, Any], *names: str) -> frozenset[str]:
    return frozenset(text for text in gateway.query(event, *names) if text)


def _label_filters(event: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield the key and value of each `key=value`, `key=` and `key` in `label_filters`.

    The query is read undecoded: a plain comma separates two filters, an encoded one is part of a
    label.
    """
    for pair in (event.get("rawQueryString") or "").split("&"):
        name, _, values = pair.partition("=")
        if unquote_plus(name) in ("label_filters", "labelFilters"):
            for text in values.split(","):
                key, _, value = unquote_plus(text).partition("=")
                if key:
                    yield key, value
