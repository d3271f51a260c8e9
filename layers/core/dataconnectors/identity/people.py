"""People: somebody whom an OpenID provider has signed in, and who is known here by an email."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataconnectors.identity import accounts, members
from dataconnectors.kernel.errors import BadRequestError, ForbiddenError, UnauthorizedError

LONGEST_NONCE = 256
"""Characters. A nonce of 128 random bits, which is enough, has 22 in base64."""

_TRUE = ("true", True)
"""`email_verified` of a verified email. API Gateway hands claims over as texts; some providers send
a text in the first place."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person, who is a member by `email`. Nothing is stored of them but their memberships."""

    email: str

    @property
    def id(self) -> str:
        """The id that the person has as a member, wherever they are one."""
        return members.member_id(self.email)


def signed_in(claims: Mapping[str, Any], nonce: Any) -> Person:
    """Who an id token was made for.

    API Gateway has verified its signature, issuer, audience and times before; see the template's
    `PeopleAuthorizer`. It cannot know the `nonce` that the browser sent to the provider, so that is
    compared here: a token of another sign-in has another one.

    Raises `BadRequestError` without a nonce, `UnauthorizedError` for a token of another sign-in,
    and `ForbiddenError` when the token proves no email that a person may have here.
    """
    if not isinstance(nonce, str) or not 0 < len(nonce) <= LONGEST_NONCE:
        raise BadRequestError("nonce: expected the text that was sent to the OpenID provider")
    if claims.get("nonce") != nonce:
        raise UnauthorizedError("the id token belongs to another sign-in: sign in again")
    try:
        email = members.parse_email(claims.get("email"))
    except BadRequestError:
        raise ForbiddenError(
            "the id token has no email in ASCII: let the OpenID client ask for the scope email"
        ) from None
    if claims.get("email_verified") not in _TRUE:
        raise ForbiddenError(
            f"the OpenID provider has not verified {email}: verify it there, then sign in again"
        )
    # An id that ends in a service account's email would be the id of that account.
    if accounts.account_of(email) is not None:
        raise ForbiddenError(f"{email} is a service account's: it has keys, and no sign-in")
    return Person(email)
