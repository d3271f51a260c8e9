"""Which credentials are accepted, and for how long."""

import base64
from dataclasses import replace

import pytest

from dataconnectors.kernel.errors import UnauthorizedError
from tests.support.identity import ACCOUNT, KEY, Process


def test_a_token_is_accepted_two_minutes_longer_than_it_says() -> None:
    process = Process()
    headers = process.headers()
    process.clock.time = 3600 + 119
    process.access.require(headers, "p1", "project.read")
    process.clock.time = 3600 + 120
    with pytest.raises(UnauthorizedError, match="expired"):
        process.access.require(headers, "p1", "project.read")


def test_basic_auth_has_to_be_enabled() -> None:
    process = Process()
    encoded = base64.b64encode(b"k1:" + KEY.secret).decode()
    headers = {"authorization": f"Basic {encoded}"}
    process.access.require(headers, "p1", "project.read")
    off = Process()
    off.rows.accounts["s1"] = replace(ACCOUNT, enable_basic_auth=False)
    with pytest.raises(UnauthorizedError, match="does not allow Basic auth"):
        off.access.require(headers, "p1", "project.read")
