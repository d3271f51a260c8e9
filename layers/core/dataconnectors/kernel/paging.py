"""Pages of long lists: how many things are on one, and the token that leads to the next."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from dataconnectors.aws import gateway
from dataconnectors.kernel.errors import BadRequestError

LONGEST_TOKEN = 2048
"""Characters; ours are far shorter."""


LONGEST_PLACE = 256
"""Characters of a place in a list; ours are far shorter, and DynamoDB's sort keys take 1,024."""


def size(event: Mapping[str, Any], most: int) -> int:
    """The page size that a request asks for, `most` when it asks for none or for more."""
    texts = [text for text in gateway.query(event, "pageSize", "page_size") if text]
    if not texts:
        return most
    text = texts[-1]
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadRequestError(f"pageSize: {text!r:.40}, expected a whole number of 0 to {most}")
    return min(int(text), most) or most


def token(event: Mapping[str, Any]) -> list[Any] | None:
    """Where a request's page begins, as `encode` was given it; None for the first page.

    Raises `BadRequestError` for a text that `encode` cannot have made. What is in it has to be
    checked by who reads it: tokens are not signed.
    """
    texts = [text for text in gateway.query(event, "pageToken", "page_token") if text]
    if not texts:
        return None
    text = texts[-1]
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
