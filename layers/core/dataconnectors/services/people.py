"""People who sign in: their access token, and the invitations that they accept by it."""

from collections.abc import Callable
from typing import Any

from dataconnectors.identity import members
from dataconnectors.identity.audit import Actor
from dataconnectors.identity.people import Person
from dataconnectors.identity.signing_keys import SigningKeys
from dataconnectors.identity.token_exchange import token_answer
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import ForbiddenError
from dataconnectors.store.members import MemberStore

ACCEPTED_AT_ONCE = 10
"""Invitations that one sign-in accepts, each in a transaction of some 20 ms. The next sign-in
accepts further ones. An invitation gives access before it is accepted, too."""


class PeopleService:
    """Signs people in whom an OpenID provider vouches for."""

    def __init__(
        self, store: MemberStore, signing_keys: SigningKeys, now: Callable[[], float]
    ) -> None:
        """`now` gives epoch seconds."""
        self._store = store
        self._signing_keys = signing_keys
        self._now = now

    def sign_in(self, person: Person, actor: Actor) -> dict[str, Any]:
        """The answer with the person's access token; `ForbiddenError` if they are no member.

        Their first sign-in after an invitation is noted in the member and in the audit log.
        """
        memberships = self._store.memberships(person.id)
        if not memberships:
            raise ForbiddenError(
                f"{person.email} is no member of any project: ask an administrator to add you"
            )
        invitations = [each for each in memberships if not each.accept_time]
        for invitation in invitations[:ACCEPTED_AT_ONCE]:
            entry = actor.audit_entry(
                members.ACCEPT,
                f"{invitation.parent}/members/{person.id}",
                details={"email": person.email, "roles": list(invitation.roles)},
            )
            self._store.accept(invitation.parent, person.id, times.to_text(actor.now), entry)
        return token_answer(self._signing_keys, person.email, self._now())
