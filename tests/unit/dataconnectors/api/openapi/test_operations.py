"""The operations of the document against the roles of the code."""

from dataconnectors.api.openapi.operations import OPERATIONS, TAGS
from dataconnectors.identity import roles


def test_operations_have_ids_of_their_own_and_a_tag_that_is_explained() -> None:
    ids = [operation.id for operation in OPERATIONS]
    assert len(set(ids)) == len(ids)
    assert {operation.tag for operation in OPERATIONS} == set(TAGS)


def test_permissions_exist() -> None:
    needed = {operation.permission for operation in OPERATIONS} - {None, ""}
    assert needed <= roles.permissions(roles.ROLES)
