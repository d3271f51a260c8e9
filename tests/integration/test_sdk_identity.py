"""Every call of the vendor's SDK about projects, members, roles, accounts and organizations."""

from typing import Any

import disruptive as dt
import pytest

from tests.integration.conftest import Client, sdk_options

ORGANIZATION = "default"


@pytest.fixture
def options(client: Client, base_url: str) -> dict[str, Any]:
    """The options of calls by a project's administrator."""
    return sdk_options(client, base_url)


@pytest.fixture
def organizing(organizer: Client, base_url: str) -> dict[str, Any]:
    """The options of calls by the organization's administrator."""
    return sdk_options(organizer, base_url)


def test_projects(organizing: dict[str, Any]) -> None:
    made = dt.Project.create_project(ORGANIZATION, "From the SDK", **organizing)
    assert (made.display_name, made.organization_id) == ("From the SDK", ORGANIZATION)
    assert (made.sensor_count, made.cloud_connector_count, made.is_inventory) == (0, 0, False)
    dt.Project.update_project(made.project_id, "Renamed", **organizing)
    dt.Project.update_project(made.project_id, **organizing)
    found = dt.Project.get_project(made.project_id, **organizing)
    assert (found.project_id, found.display_name) == (made.project_id, "Renamed")
    listed = dt.Project.list_projects(ORGANIZATION, "renamed", **organizing)
    assert [project.project_id for project in listed] == [made.project_id]
    assert len(dt.Project.list_projects(**organizing)) >= 2
    assert "project.create" not in dt.Project.list_permissions(made.project_id, **organizing)
    dt.Project.delete_project(made.project_id, **organizing)
    with pytest.raises(dt.errors.NotFound):
        dt.Project.get_project(made.project_id, **organizing)


def test_a_project_that_is_not_empty_is_not_deleted(
    client: Client, options: dict[str, Any]
) -> None:
    config = dt.DataConnector.HttpPushConfig(url="https://example.com", headers={})
    dt.DataConnector.create_data_connector(client.project, config, **options)
    with pytest.raises(dt.errors.BadRequest):
        dt.Project.delete_project(client.project, **options)


def test_members(client: Client, options: dict[str, Any]) -> None:
    account = dt.ServiceAccount.create_service_account(client.project, "Script", **options)
    made = dt.Project.add_member(
        client.project, account.email, [dt.Role.PROJECT_DEVELOPER], **options
    )
    assert made.member_id == account.service_account_id
    assert (made.display_name, made.roles) == ("Script", ["project.developer"])
    assert (made.status, made.account_type) == ("ACCEPTED", "SERVICE_ACCOUNT")
    with pytest.raises(dt.errors.Conflict):
        dt.Project.add_member(client.project, account.email, [dt.Role.PROJECT_USER], **options)
    changed = dt.Project.update_member(
        made.member_id, client.project, [dt.Role.PROJECT_USER], **options
    )
    found = dt.Project.get_member(made.member_id, client.project, **options)
    assert changed.roles == found.roles == ["project.user"]
    assert len(dt.Project.list_members(client.project, **options)) == 2
    with pytest.raises(dt.errors.BadRequest):
        dt.Project.get_member_invite_url(made.member_id, client.project, **options)
    person = dt.Project.add_member(
        client.project, "ann@example.com", [dt.Role.PROJECT_USER], **options
    )
    url = dt.Project.get_member_invite_url(person.member_id, client.project, **options)
    assert (person.status, url[:8]) == ("PENDING", "https://")
    dt.Project.remove_member(made.member_id, client.project, **options)
    with pytest.raises(dt.errors.NotFound):
        dt.Project.get_member(made.member_id, client.project, **options)


def test_service_accounts_and_keys(client: Client, options: dict[str, Any], base_url: str) -> None:
    accounts, project = dt.ServiceAccount, client.project
    made = accounts.create_service_account(project, **options)
    assert (made.display_name, made.basic_auth_enabled) == ("", False)
    changed = accounts.update_service_account(
        made.service_account_id, project, "Gateway", True, **options
    )
    found = accounts.get_service_account(made.service_account_id, project, **options)
    assert (found.display_name, found.basic_auth_enabled) == ("Gateway", True)
    assert (found.create_time, found.update_time) == (made.create_time, changed.update_time)
    assert len(accounts.list_service_accounts(project, **options)) == 2

    key = accounts.create_key(made.service_account_id, project, **options)
    again = accounts.get_key(key.key_id, made.service_account_id, project, **options)
    assert (again.key_id, again.create_time, again.secret) == (key.key_id, key.create_time, None)
    assert len(accounts.list_keys(made.service_account_id, project, **options)) == 1

    assert key.secret is not None
    fields = {"keyId": key.key_id, "secret": key.secret, "email": made.email}
    theirs = sdk_options(Client(fields, project), base_url)
    with pytest.raises(dt.errors.NotFound):
        dt.Project.get_project(project, **theirs)
    dt.Project.add_member(project, made.email, [dt.Role.PROJECT_USER], **options)
    assert dt.Project.get_project(project, **theirs).project_id == project
    with pytest.raises(dt.errors.Forbidden):
        accounts.create_key(made.service_account_id, project, **theirs)

    accounts.delete_key(key.key_id, made.service_account_id, project, **options)
    accounts.delete_service_account(made.service_account_id, project, **options)
    with pytest.raises(dt.errors.NotFound):
        accounts.get_service_account(made.service_account_id, project, **options)


def test_roles(options: dict[str, Any]) -> None:
    listed = {role.role: role for role in dt.Role.list_roles(**options)}
    assert set(dt.Role.ROLES) <= set(listed)
    for name in dt.Role.ROLES:
        found = dt.Role.get_role(name, **options)
        assert (found.display_name, found.permissions) == (
            listed[name].display_name,
            listed[name].permissions,
        )
        assert found.description
    with pytest.raises(dt.errors.NotFound):
        dt.Role.get_role("project.king", **options)


def test_organizations(client: Client, organizing: dict[str, Any]) -> None:
    (listed,) = dt.Organization.list_organizations(**organizing)
    found = dt.Organization.get_organization(ORGANIZATION, **organizing)
    assert (found.organization_id, found.display_name) == (ORGANIZATION, listed.display_name)
    assert "project.create" in dt.Organization.list_permissions(ORGANIZATION, **organizing)
    made = dt.Organization.add_member(
        ORGANIZATION, client.account["email"], [dt.Role.ORGANIZATION_ADMIN], **organizing
    )
    member = dt.Organization.get_member(made.member_id, ORGANIZATION, **organizing)
    assert (member.email, member.roles) == (made.email, ["organization.admin"])
    assert len(dt.Organization.list_members(ORGANIZATION, **organizing)) == 2
    with pytest.raises(dt.errors.BadRequest):
        dt.Organization.get_member_invite_url(made.member_id, ORGANIZATION, **organizing)
    dt.Organization.remove_member(made.member_id, ORGANIZATION, **organizing)
    assert len(dt.Organization.list_members(ORGANIZATION, **organizing)) == 1


def test_wrong_credentials_are_unauthorized(client: Client, base_url: str) -> None:
    fields = client.account | {"secret": "x" * 43}
    with pytest.raises(dt.errors.Unauthorized):
        dt.Project.list_projects(**sdk_options(Client(fields, client.project), base_url))
