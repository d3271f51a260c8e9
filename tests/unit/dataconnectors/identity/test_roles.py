"""What each role permits."""

import pytest

from dataconnectors.identity.roles import (
    ADMIN,
    DEVELOPER,
    ORGANIZATION_ADMIN,
    PUBLISHER,
    USER,
    permits,
)


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        ("dataconnector.read", {USER, DEVELOPER, ADMIN}),
        ("dataconnector.update", {DEVELOPER, ADMIN}),
        ("event.publish", {DEVELOPER, ADMIN, PUBLISHER}),
        ("dataconnector.create", {ADMIN}),
        ("dataconnector.delete", {ADMIN}),
        ("membership.create", {ADMIN}),
        ("audit.read", {ADMIN}),
        ("project.create", set()),
        ("organization.read", set()),
        ("no.such", set()),
    ],
)
def test_each_role_permits_what_the_contract_says(permission: str, allowed: set[str]) -> None:
    project_roles = (USER, DEVELOPER, ADMIN, PUBLISHER)
    assert {role for role in project_roles if permits([role], permission)} == allowed
    assert permits([ORGANIZATION_ADMIN], permission) == (permission != "no.such")
    assert not permits(["roles/unknown"], permission)
