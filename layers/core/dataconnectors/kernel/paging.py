"""Pages of long lists: how many entries a page has, and the token that leads to the next page."""

import base64
import binascii
import json
from typing import Any

from dataconnectors.kernel.errors import BadRequestError

LONGEST_TOKEN = 2048
"""Characters of a page token. Ours are far shorter; decoding a longer text would waste time."""

LONGEST_POSITION = 256
"""Characters of a position in a list. Ours are far shorter; DynamoDB takes sort keys of 1,024."""


def page_size(text: str, most: int) -> int:
    """The page size that a request asks for: at most `most`, which 0 asks for too.

    Raises `BadRequestError` when `text` is not a whole number.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadRequestError(f"pageSize: {text!r:.40}, expected a whole number of 0 to {most}")
    return min(int(text), most) or most


def decode_token(text: str) -> list[Any]:
    """The position in a page token: the JSON values that `encode_token` was given.

    Raises `BadRequestError` when `encode_token` cannot have made the token. Tokens are not signed,
    so callers have to check each value of the position before they use it.
    """
    try:
        if len(text) > LONGEST_TOKEN:
            raise ValueError
        position = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise wrong_token() from None
    if not isinstance(position, list):
        raise wrong_token()
    return position


def is_position(text: str) -> bool:
    """Whether a text can be one of our sort keys, so that a page can begin after it."""
    return len(text) <= LONGEST_POSITION and text.isascii() and text.isprintable()


def wrong_token() -> BadRequestError:
    """The error for a page token that does not belong to this list."""
    return BadRequestError("pageToken: not one of this list: begin again without it")


def encode_token(position: list[Any]) -> str:
    """The token of the page that begins after `position`, which is a list of JSON values."""
    text = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
