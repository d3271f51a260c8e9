"""JSON as JavaScript reads and writes it, under limits.

Receivers hash the body that `JSON.stringify(JSON.parse(body))` gives them (the vendor's Node
samples do), so what `dumps` writes has to survive that unchanged:
keys that are array indices first and ascending, numbers as ECMAScript's Number::toString writes
them, escapes only where JSON.stringify escapes.
"""

import json
import re
from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import Any

from dataconnectors.kernel.errors import JsonTextError

MAXIMUM_DEPTH = 32
"""Levels of nesting. Sensor data has four; deeper text only serves to exhaust a stack."""

LARGEST_EXACT = 2**53
"""Beyond this, JavaScript reads an integer as the nearest double."""

_ARRAY_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LARGEST_ARRAY_INDEX = 2**32 - 2
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_NUMBER = 400
"""Characters: the longest that still has a meaning as a double is shorter than this."""


def loads(text: str | bytes) -> Any:
    """Read a text; raise `JsonTextError` for what is not JSON or too deep.

    Stricter than Python: no NaN or Infinity, no number that overflows a double, no key twice in an
    object, of which readers disagree which one counts. Bytes are UTF-8.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
    except RecursionError:
        raise JsonTextError(f"nested deeper than {MAXIMUM_DEPTH} levels") from None
    except UnicodeDecodeError:
        raise JsonTextError("not UTF-8") from None
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")  # as some of Python's messages end
        raise JsonTextError(f"not JSON: {what} at character {error.pos}") from None
    _check_depth(value)
    return value


def dumps(value: Any) -> str:
    """Compact text of a value that `loads` gave; encodes to UTF-8 without error."""
    text = "".join(_parts(value))
    # A lone surrogate has no UTF-8; JSON.stringify escapes it since ECMAScript 2019.
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def number(value: float) -> str:
    """A finite number as ECMAScript's Number::toString writes it."""
    if isinstance(value, int):
        if -LARGEST_EXACT <= value <= LARGEST_EXACT:
            return str(value)
        value = float(value)
    if value == 0:
        return "0"  # minus zero too
    mantissa, _, exponent_text = f"{value!r}".partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    if fraction == "0":
        fraction = ""
    # The shortest digits that read back the same: Python and JavaScript agree on them, and
    # `point` is where the decimal point stands in them.
    point = len(whole) + int(exponent_text or "0")
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = point - 1
    tail = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if power > 0 else '-'}{abs(power)}"


def _parts(value: Any) -> Iterator[str]:
    if value is None:
        yield "null"
    elif value is True:
        yield "true"
    elif value is False:
        yield "false"
    elif isinstance(value, str):
        yield encode_basestring(value)
    elif isinstance(value, int | float):
        yield number(value)
    elif isinstance(value, list | tuple):
        yield "["
        for position, entry in enumerate(value):
            if position:
                yield ","
            yield from _parts(entry)
        yield "]"
    else:
        yield "{"
        for position, key in enumerate(_ordered(value)):
            yield f"{',' if position else ''}{encode_basestring(key)}:"
            yield from _parts(value[key])
        yield "}"


def _ordered(keys: dict[str, Any]) -> list[str]:
    """Keys in the order in which a JavaScript object lists them."""
    indices = {key for key in keys if _is_array_index(key)}
    return [*sorted(indices, key=int), *(key for key in keys if key not in indices)]


def _is_array_index(key: str) -> bool:
    return _ARRAY_INDEX.fullmatch(key) is not None and int(key) <= _LARGEST_ARRAY_INDEX


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise JsonTextError("a key is given twice in an object")
    return value


def _refuse_constant(name: str) -> float:
    raise JsonTextError(f"not JSON: {name} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise JsonTextError("a number is too large for a double")
    return value


def _integer(text: str) -> int | float:
    if len(text) > _LONGEST_NUMBER:
        raise JsonTextError("a number is too large for a double")
    value = int(text)
    try:
        float(value)
    except OverflowError:
        raise JsonTextError("a number is too large for a double") from None
    return value


def _check_depth(value: Any) -> None:
    """Level by level rather than recursively, so that the check itself has no depth."""
    level = [value]
    for _ in range(MAXIMUM_DEPTH + 1):
        level = [parent for parent in level if isinstance(parent, dict | list)]
        if not level:
            return
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    raise JsonTextError(f"nested deeper than {MAXIMUM_DEPTH} levels")
