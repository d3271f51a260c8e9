"""JSON as JavaScript reads and writes it, with limits on depth and on numbers.

Some receivers verify the signature over `JSON.stringify(JSON.parse(body))` instead of the body
(the vendor's Node samples do). So that their hash equals ours, `dumps` writes what JSON.stringify
would write: keys that are array indices come first and in ascending order, numbers look as
ECMAScript's Number::toString writes them, and only the characters that JSON.stringify escapes are
escaped.
"""

import json
import re
from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import Any

from dataconnectors.kernel.errors import JsonTextError

MAXIMUM_DEPTH = 32
"""Levels of nesting. Sensor data has four; deeper text only serves to exhaust the stack."""

LARGEST_EXACT = 2**53
"""JavaScript reads a larger integer as the nearest double."""

_ARRAY_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LARGEST_ARRAY_INDEX = 2**32 - 2
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_NUMBER = 400
"""Characters of an integer. The largest double has 309 digits, so a longer text
overflows it."""


def loads(text: str | bytes) -> Any:
    """The value of a JSON text; raises `JsonTextError` when it is not JSON, or is nested too deep.

    Stricter than Python's reader: it refuses NaN and Infinity, numbers that overflow a double, and
    a key that an object has twice, because readers disagree on which of the two values counts.
    Bytes are read as UTF-8.
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
        what = error.msg.removesuffix(" at")  # some of Python's messages end in it
        raise JsonTextError(f"not JSON: {what} at character {error.pos}") from None
    _check_depth(value)
    return value


def dumps(value: Any) -> str:
    """The compact JSON text of a value that `loads` returned. It can always be encoded as UTF-8."""
    text = "".join(_parts(value))
    # UTF-8 cannot encode a lone surrogate; JSON.stringify escapes it since ECMAScript 2019.
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
    # Python and JavaScript agree on the digits: the shortest ones that read back as the same
    # double. They differ in where they put the decimal point and the exponent. `point` is the
    # position of the decimal point in `digits`.
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
    """The keys of an object in the order in which JavaScript lists them."""
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
    """Raise `JsonTextError` for too deep nesting; not recursive, so it cannot exhaust the stack."""
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
