"""Access tokens as answers, and the exchange of an assertion for one (RFC 7523)."""

import time
from collections.abc import Callable, Collection
from urllib.parse import parse_qs

from dataconnectors.aws.vault import Vault
from dataconnectors.identity import tokens
from dataconnectors.identity.authentication import Authenticator, KeyOwner
from dataconnectors.identity.signing_keys import SigningKeys
from dataconnectors.kernel.errors import BadRequestError, UnauthorizedError

MAXIMUM_FORM_FIELDS = 10
"""A request has two: `grant_type` and `assertion`. The limit bounds the work on a hostile form."""


def token_answer(signing_keys: SigningKeys, subject: str, now: float) -> dict[str, object]:
    """The answer with a new access token (RFC 6749, 5.1). `subject` is as `tokens` has it."""
    signing_key_id, signing_key = signing_keys.to_sign()
    return {
        "access_token": tokens.access_token(signing_key_id, signing_key, subject, now),
        "expires_in": tokens.LIFETIME,
        "token_type": "Bearer",
    }


class TokenExchange:
    """Gives an access token to a service account that has signed an assertion with its secret."""

    def __init__(
        self,
        authenticator: Authenticator,
        signing_keys: SigningKeys,
        vault: Vault,
        *,
        audiences: Collection[str] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        """`audiences` are further URLs of the token endpoint: see `tokens.check_assertion`.

        `now` gives epoch seconds.
        """
        self._authenticator = authenticator
        self._signing_keys = signing_keys
        self._vault = vault
        self._audiences = audiences
        self._now = now

    def exchange(self, form: bytes, host: str) -> dict[str, object]:
        """The token endpoint's answer to a form with `grant_type` and `assertion`.

        `host` is the host name that the request was sent to. Every error is a `BadRequestError`:
        the vendor's SDK gives up at once on a 400, but would send the same assertion three times on
        a 401.
        """
        try:
            fields = parse_qs(form.decode("ascii"), max_num_fields=MAXIMUM_FORM_FIELDS)
        except ValueError:
            raise BadRequestError("body: expected a form with grant_type and assertion") from None
        if fields.get("grant_type") != [tokens.GRANT_TYPE]:
            raise BadRequestError(f"grant_type: unsupported, expected {tokens.GRANT_TYPE}")
        try:
            signer = self._signer(fields.get("assertion", [""])[0], host)
        except UnauthorizedError as error:
            raise BadRequestError(f"assertion: {error}") from None
        return token_answer(self._signing_keys, signer.key.id, self._now())

    def _signer(self, assertion: str, host: str) -> KeyOwner:
        """Who has signed an assertion; `UnauthorizedError` when it is not valid."""
        signer = self._authenticator.key_owner(tokens.key_id_of(assertion))
        secret = self._vault.open(signer.key.secret, signer.key.name)
        tokens.check_assertion(
            assertion,
            secret,
            signer.account.email,
            self._now(),
            host=host,
            audiences=self._audiences,
        )
        return signer
