"""Fields of request bodies: which of them a request sets, and which values they may have."""

from collections.abc import Iterable, Sequence
from typing import Any

from dataconnectors.kernel.errors import BadRequestError

LONGEST_DISPLAY_NAME = 256
"""Characters of a display name."""


def values_to_set(
    body: Any,
    names: Sequence[str],
    *,
    output_only: Iterable[str] = (),
    mask: Iterable[str] | None = None,
) -> dict[str, Any]:
    """The fields of `names` that a request sets, with their values; raises `BadRequestError`.

    Without a `mask`, the request sets the fields that its body has. With one, it sets exactly the
    fields of the mask, and to null those that the body lacks. `output_only` are fields that answers
    have and requests cannot set: they are ignored, as clients send back what they were answered.
    Any other field is refused, unless it is null.
    """
    if not isinstance(body, dict):
        raise BadRequestError("body: expected a JSON object")
    expected = f"expected {', '.join(names)}"
    for name, value in body.items():
        if value is not None and name not in (*names, *output_only):
            raise BadRequestError(f"{name!r:.60}: unknown field, {expected}")
    if mask is None:
        return {name: body[name] for name in names if name in body}
    chosen = list(mask)
    for path in chosen:
        if path not in names:
            raise BadRequestError(f"update_mask: {path!r:.60} is unknown, {expected}")
    return {name: body.get(name) for name in names if name in chosen}


def display_name(value: Any) -> str:
    """A display name, which is "" for null; raises `BadRequestError`."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_DISPLAY_NAME or not value.isprintable():
        raise BadRequestError(
            f"displayName: expected a text of at most {LONGEST_DISPLAY_NAME} printable characters"
        )
    return value


def boolean(value: Any, name: str) -> bool:
    """A boolean, which is false for null; raises `BadRequestError` that names the field."""
    if value is not None and not isinstance(value, bool):
        raise BadRequestError(f"{name}: expected true or false")
    return bool(value)
