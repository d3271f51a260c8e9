"""Field checks: what the value of one field of an event's data may be.

A check takes a value and its place in the event, such as `data.co2.ppm`. It raises `EventError`
that names the place and says what was expected.
"""

from collections.abc import Callable, Mapping
from typing import Any

from dataconnectors.kernel import times
from dataconnectors.kernel.errors import EventError

FieldCheck = Callable[[Any, str], None]
"""Takes the value and its place; raises `EventError` for an invalid value."""


def check_fields(fields: Any, where: str, checks: Mapping[str, FieldCheck]) -> dict[str, Any]:
    """Require an object with every field of `checks`, each of them valid, and return it.

    Further fields are allowed and delivered: receivers' SDKs ignore what they do not know.
    """
    if not isinstance(fields, dict):
        raise EventError(f"{where}: expected an object")
    for name, check in checks.items():
        if name not in fields:
            raise EventError(f"{where}.{name}: missing")
        check(fields[name], f"{where}.{name}")
    return fields


def check_time(value: Any, where: str) -> None:
    """Require a time as RFC 3339 writes it, with a zone; leap seconds are allowed."""
    try:
        times.from_text(value)
    except (TypeError, ValueError):
        raise EventError(f"{where}: expected an RFC 3339 time with a zone") from None


def check_number(value: Any, where: str) -> None:
    """Require a number. Python counts booleans as numbers, JSON does not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EventError(f"{where}: expected a number")


def check_integer(value: Any, where: str) -> None:
    """Require a whole number. 2.0 is one: JSON has only one kind of number."""
    if isinstance(value, bool) or not (
        isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    ):
        raise EventError(f"{where}: expected a whole number")


def check_boolean(value: Any, where: str) -> None:
    """Require true or false."""
    if not isinstance(value, bool):
        raise EventError(f"{where}: expected true or false")


def check_text(value: Any, where: str) -> None:
    """Require a text, which may be empty."""
    if not isinstance(value, str):
        raise EventError(f"{where}: expected a text")


def check_labels(value: Any, where: str) -> None:
    """Require an object whose values are texts."""
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise EventError(f"{where}: expected an object of texts")


def one_of(*texts: str) -> FieldCheck:
    """Return a check that requires one of the texts."""

    def check(value: Any, where: str) -> None:
        if value not in texts:
            raise EventError(f"{where}: expected {' or '.join(texts)}")

    return check


def list_of(check_entry: FieldCheck) -> FieldCheck:
    """Return a check that requires a list whose entries all pass `check_entry`."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise EventError(f"{where}: expected a list")
        for position, entry in enumerate(value):
            check_entry(entry, f"{where}[{position}]")

    return check


def object_of(checks: Mapping[str, FieldCheck]) -> FieldCheck:
    """Return a check that requires an object with every field of `checks`."""

    def check(value: Any, where: str) -> None:
        check_fields(value, where, checks)

    return check
