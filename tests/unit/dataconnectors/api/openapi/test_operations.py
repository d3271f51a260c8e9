"""The operations of the document have unique ids, tags and permissions that exist."""

from dataconnectors.api.openapi.operations import OPERATIONS, TAGS
from dataconnectors.identity import roles


def test_each_operation_has_a_unique_id_and_a_documented_tag() -> None:
    ids = [operation.id for operation in OPERATIONS]
    assert len(set(ids)) == len(ids)
    assert {operation.tag for operation in OPERATIONS} == set(TAGS)


def test_every_permission_of_an_operation_exists() -> None:
    needed = {operation.permission for operation in OPERATIONS} - {None, ""}
    assert needed <= roles.permissions(roles.ROLES)
