"""Ids in the vendor's format: 20 characters of 0-9a-v that sort by the second they were made in."""

import base64
import hashlib
import re

ENTROPY_BYTES = 8
"""Random bytes of an id: two ids that are made in the same second collide once in 10^19 cases."""

LENGTH = 20
"""Characters of an id that we make."""

LONGEST_ID = 64
"""Characters of an id that a caller gives us for an event, a device or a project. The vendor's have
20 to 23."""

_MADE = re.compile(rf"[0-9a-v]{{{LENGTH}}}", re.ASCII)
_ID = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_ID}}}", re.ASCII)


def new_id(now: float, entropy: bytes) -> str:
    """A new id from the epoch second `now` and `ENTROPY_BYTES` random bytes.

    Base32 with the extended hexadecimal alphabet keeps the order of the bytes (RFC 4648), and
    12 bytes give exactly 20 characters without padding.
    """
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"{len(entropy)} bytes of entropy, expected {ENTROPY_BYTES}")
    raw = int(now).to_bytes(4, "big") + entropy
    return base64.b32hexencode(raw).decode("ascii").rstrip("=").lower()


def time_of_id(text: str) -> float | None:
    """The epoch second in which an id was made, if it has our format, which is the vendor's too.

    None for other ids. Nobody checks that the maker of an id had the right time.
    """
    if _MADE.fullmatch(text) is None:
        return None
    raw = base64.b32hexdecode(text.upper() + "=" * (-LENGTH % 8))
    return float(int.from_bytes(raw[:4], "big"))


def derived_id(name: str) -> str:
    """The id that belongs to a name: always the same one, made of 96 bits of the name's hash."""
    digest = hashlib.sha256(name.encode()).digest()[:12]
    return base64.b32hexencode(digest).decode("ascii").rstrip("=").lower()


def is_id(text: object) -> bool:
    """Whether a text can be the id of an event, a device or a project."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None
