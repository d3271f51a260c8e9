"""Fields of request bodies: which there are, and what their values may be."""

from collections.abc import Iterable, Sequence
from typing import Any

from dataconnectors.kernel.errors import BadRequestError

LONGEST_DISPLAY_NAME = 256


def settable(
    body: Any,
    names: Sequence[str],
    *,
    output_only: Iterable[str] = (),
    mask: Iterable[str] | None = None,
) -> dict[str, Any]:
    """Those of the fields `names` that a body sets; raises `BadRequestError`.

    Fields that only answers have are ignored, and null in a field that there is not. With a mask
    exactly its fields are set, to null where the body lacks them.
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
    """A display name; null means none. Raises `BadRequestError`."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_DISPLAY_NAME or not value.isprintable():
        raise BadRequestError(
            f"displayName: expected a text of at most {LONGEST_DISPLAY_NAME} printable characters"
        )
    return value


def flag(value: Any, name: str) -> bool:
    """A truth value; null means false. Raises `BadRequestError` that says `name`."""
    if value is not None and not isinstance(value, bool):
        raise BadRequestError(f"{name}: expected true or false")
    return bool(value)
