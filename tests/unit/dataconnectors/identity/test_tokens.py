"""Which assertions are accepted, by the audience that they name."""

from contextlib import nullcontext

import jwt
import pytest

from dataconnectors.identity import tokens
from dataconnectors.kernel.errors import UnauthorizedError
from tests.support.identity import ACCOUNT, KEY, NOW


@pytest.mark.parametrize(
    ("audience", "host", "is_ours"),
    [
        ("https://h/v2/oauth2/token", "h", True),
        ("https://h/v2/oauth2/token", "i", False),
        ("https://h/v2/oauth2/token", "", False),
        ("http://127.0.0.1:8000/v2/oauth2/token", "a1.execute-api.localhost:4566", True),
        ("http://localhost:8000/v2/oauth2/token", "127.0.0.1:4566", True),
        ("http://[::1]:8000/v2/oauth2/token", "localhost", True),
        ("http://127.0.0.1:8000/v2/oauth2/token", "h", False),
        ("https://h/v2/oauth2/token", "localhost:4566", False),
        ("https://mylocalhost/v2/oauth2/token", "localhost", False),
    ],
)
def test_an_assertion_is_accepted_only_for_the_host_that_was_called(
    audience: str, host: str, is_ours: bool
) -> None:
    claims = {"iat": NOW, "exp": NOW + 60, "iss": ACCOUNT.email, "aud": audience}
    assertion = jwt.encode(claims, KEY.secret, "HS256")
    with nullcontext() if is_ours else pytest.raises(UnauthorizedError, match="aud"):
        tokens.check_assertion(assertion, KEY.secret, ACCOUNT.email, NOW, host=host)
