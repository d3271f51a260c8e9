"""Pages of long lists: how many things are on one, and the token that leads to the next."""

import base64
import binascii
import json
from typing import Any

from dataconnectors.kernel.errors import BadRequestError

LONGEST_TOKEN = 2048
"""Characters; ours are far shorter."""


LONGEST_PLACE = 256
"""Characters of a place in a list; ours are far shorter, and DynamoDB's sort keys take 1,024."""


def size_of(text: str, most: int) -> int:
    """The page size that a request asks for, `most` when it asks for 0 or for more."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadRequestError(f"pageSize: {text!r:.40}, expected a whole number of 0 to {most}")
    return min(int(text), most) or most


def decode(text: str) -> list[Any]:
    """Where a page begins, as `encode` was given it.

    Raises `BadRequestError` for a text that `encode` cannot have made. Callers have to check what
    is in the list: tokens are not signed.
    """
    try:
        if len(text) > LONGEST_TOKEN:
            raise ValueError
        position = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise bad_token() from None
    if not isinstance(position, list):
        raise bad_token()
    return position


def is_place(text: str) -> bool:
    """Whether a page can begin after a text: whether it can be a sort key of ours."""
    return len(text) <= LONGEST_PLACE and text.isascii() and text.isprintable()


def bad_token() -> BadRequestError:
    """For a token that is none of this list's."""
    return BadRequestError("pageToken: not one of this list: begin again without it")


def encode(position: list[Any]) -> str:
    """The token of a page that begins after `position`: JSON values."""
    text = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
