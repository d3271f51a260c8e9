"""Secret rotation: whether the secret that a call replaces goes on signing beside the new one."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dataconnectors.connectors.secrets import Secrets
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.kernel.times import to_text

KEEP = "keepPreviousSecret"
TTL = "previousSecretTtl"
ROTATION_FIELDS = (KEEP, TTL)
"""Fields of a request's `httpConfig` that say for how long. They are no settings: a field mask with
`httpConfig.signatureSecret` includes them, and answers do not show them."""

DEFAULT_SECONDS = 24 * 3600
"""How long the previous secret signs when a call asks for it without a time: a working day of every
time zone, in which each receiver can be given the new secret."""

LONGEST_SECONDS = 7 * 24 * 3600
"""A secret that is replaced may be one that has leaked, so it must not stay valid for long."""

_TTL = re.compile(r"(\d{1,6})s", re.ASCII)


def seconds_to_keep(http: Mapping[str, Any]) -> int | None:
    """For how many seconds a request wants the previous secret kept; None when it does not say.

    0 means that it ends at once. Raises `BadRequestError` that names the field.
    """
    keep, ttl = http.get(KEEP), http.get(TTL)
    if keep is not None and not isinstance(keep, bool):
        raise BadRequestError(f"httpConfig.{KEEP}: expected true or false")
    if ttl is None:
        return {None: None, False: 0, True: DEFAULT_SECONDS}[keep]
    match = _TTL.fullmatch(ttl) if isinstance(ttl, str) else None
    if match is None or int(match[1]) > LONGEST_SECONDS:
        raise BadRequestError(
            f'httpConfig.{TTL}: expected seconds such as "{DEFAULT_SECONDS}s", '
            f"at most {LONGEST_SECONDS}s"
        )
    seconds = int(match[1])
    if keep is not None and keep is not bool(seconds):
        raise BadRequestError(f"httpConfig.{KEEP}: {str(keep).lower()} contradicts {TTL} {ttl}")
    return seconds


def with_secret(current: Secrets, secret: str, seconds: int | None, now: float) -> Secrets:
    """The secrets after a request has set `signatureSecret`, and asked to keep the previous one.

    `current` has no expired previous secret; `now` is in epoch seconds. A request that sets the
    same secret again replaces nothing, so it changes nothing: it may be one that was sent twice.
    But when it says that no previous secret is kept, none is: it may be one that has leaked.
    Only one previous secret is kept, and not until another is: a call that would cut the promised
    time of one short is refused, unless it does not ask to keep any. Such a call ends both.
    """
    previous = current.signature_secret
    if secret == previous:
        return with_other_end(current, 0, now) if seconds == 0 else current
    if not seconds:
        return replace(current, signature_secret=secret, previous_secret="", previous_until=0.0)
    if not secret:
        raise BadRequestError(
            f"httpConfig.{KEEP}: a secret that is removed cannot be kept, only one that is replaced"
        )
    if current.previous_secret not in ("", secret):
        raise BadRequestError(
            "httpConfig.signatureSecret: the secret before the present one is valid until "
            f"{to_text(current.previous_until)}. Wait until then, or end it first "
            f'(httpConfig.{TTL} "0s"), or replace both at once (without {KEEP} and {TTL})'
        )
    if not previous:
        return replace(current, signature_secret=secret)
    return replace(
        current, signature_secret=secret, previous_secret=previous, previous_until=now + seconds
    )


def with_other_end(current: Secrets, seconds: int, now: float) -> Secrets:
    """The secrets after a request has only said how long the previous secret is still kept."""
    if seconds == 0:
        return replace(current, previous_secret="", previous_until=0.0)
    if not current.previous_secret:
        raise BadRequestError(
            f"httpConfig.{TTL}: there is no previous secret: send the new signatureSecret in the "
            "same call"
        )
    return replace(current, previous_until=now + seconds)
