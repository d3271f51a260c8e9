"""What becomes of a secret that is replaced, for every state and every request."""

from typing import Any

import pytest

from dataconnectors.connectors.secret_rotation import (
    seconds_to_keep,
    with_other_end,
    with_secret,
)
from dataconnectors.connectors.secrets import Secrets
from dataconnectors.kernel.errors import BadRequestError

NOW = 1_790_000_000.0
DAY = 86_400
UNSIGNED = Secrets()
SIGNED = Secrets("b")
CHANGING = Secrets("b", (), "a", NOW + 60)
WRONG: list[object] = [
    3600,
    "3600",
    "1h",
    "-1s",
    "1.5s",
    "604801s",
    "9999999s",
    "1s ",
    "٣s",
    "",
    [],
]


@pytest.mark.parametrize(
    ("http", "seconds"),
    [
        ({}, None),
        ({"keepPreviousSecret": None, "previousSecretTtl": None}, None),
        ({"keepPreviousSecret": True}, DAY),
        ({"keepPreviousSecret": False}, 0),
        ({"previousSecretTtl": "3600s"}, 3600),
        ({"keepPreviousSecret": True, "previousSecretTtl": "604800s"}, 7 * DAY),
        ({"keepPreviousSecret": False, "previousSecretTtl": "0s"}, 0),
        ({"previousSecretTtl": "007s"}, 7),
    ],
)
def test_a_request_says_for_how_long(http: dict[str, Any], seconds: int | None) -> None:
    assert seconds_to_keep(http) == seconds


@pytest.mark.parametrize(
    ("http", "reason"),
    [
        ({"keepPreviousSecret": "true"}, "keepPreviousSecret: expected true or false"),
        ({"keepPreviousSecret": False, "previousSecretTtl": "1s"}, "false contradicts"),
        ({"keepPreviousSecret": True, "previousSecretTtl": "0s"}, "true contradicts"),
    ]
    + [
        ({"previousSecretTtl": ttl}, 'previousSecretTtl: expected seconds such as "86400s", at')
        for ttl in WRONG
    ],
)
def test_a_wrong_time_is_named(http: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRequestError, match=reason):
        seconds_to_keep(http)


@pytest.mark.parametrize(
    ("current", "secret", "seconds", "after"),
    [
        (SIGNED, "c", None, Secrets("c")),
        (SIGNED, "c", 0, Secrets("c")),
        (SIGNED, "c", 60, Secrets("c", (), "b", NOW + 60)),
        (SIGNED, "b", 60, SIGNED),
        (SIGNED, "", None, UNSIGNED),
        (UNSIGNED, "c", 60, Secrets("c")),
        (UNSIGNED, "", 60, UNSIGNED),
        (CHANGING, "b", 3600, CHANGING),  # the same call again: the end stays as it is
        (CHANGING, "b", None, CHANGING),
        (CHANGING, "b", 0, SIGNED),  # the secret as it is, and an end to the previous one
        (CHANGING, "c", None, Secrets("c")),  # as a secret that has leaked is replaced
        (CHANGING, "a", 60, Secrets("a", (), "b", NOW + 60)),  # back to the previous one
        (CHANGING, "", None, UNSIGNED),
    ],
)
def test_a_new_secret(current: Secrets, secret: str, seconds: int | None, after: Secrets) -> None:
    assert with_secret(current, secret, seconds, NOW) == after


@pytest.mark.parametrize(
    ("current", "secret", "reason"),
    [
        (SIGNED, "", "a secret that is removed cannot be kept"),
        (CHANGING, "c", "the secret before the present one is valid until 2026-09-21T14:14:20"),
    ],
)
def test_a_secret_that_cannot_be_kept_as_asked_is_not_replaced(
    current: Secrets, secret: str, reason: str
) -> None:
    with pytest.raises(BadRequestError, match=reason):
        with_secret(current, secret, 60, NOW)


def test_a_running_rotation_is_prolonged_cut_short_and_ended() -> None:
    assert with_other_end(CHANGING, 3600, NOW) == Secrets("b", (), "a", NOW + 3600)
    assert with_other_end(CHANGING, 1, NOW) == Secrets("b", (), "a", NOW + 1)
    assert with_other_end(CHANGING, 0, NOW) == SIGNED
    assert with_other_end(SIGNED, 0, NOW) == SIGNED
    with pytest.raises(BadRequestError, match="there is no previous secret"):
        with_other_end(SIGNED, 3600, NOW)
