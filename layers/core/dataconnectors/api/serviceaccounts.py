"""Routes of service accounts and their keys."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.identity.access import Access
from dataconnectors.identity.audit import Actor
from dataconnectors.identity.projects import ORGANIZATION
from dataconnectors.kernel.errors import ForbiddenError
from dataconnectors.services.serviceaccounts import ServiceAccountService

ACCOUNTS = "/v2/projects/<project>/serviceaccounts"
"""The path of a project's service accounts."""


def routes(service: ServiceAccountService, access: Access) -> Router:
    """`/v2/projects/{project}/serviceaccounts` and below."""
    router = Router()
    request = ApiRequest(router, access)
    account_path = ACCOUNTS + "/<account>"
    keys_path = account_path + "/keys"

    def authorize_change(project: str, account_id: str, permission: str) -> Actor:
        """The caller, who must have a permission in the project.

        Only the organization's administrators may change an account that administers the
        organization. Otherwise an administrator of its project could create a key of that account
        and so become an administrator of the organization.
        """
        actor = request.authorize_project(project, permission)
        administers = service.administers_organization(project, account_id)
        if administers and not request.is_permitted(ORGANIZATION, "organization.update"):
            raise ForbiddenError(
                f"projects/{project}/serviceaccounts/{account_id} administers {ORGANIZATION}: "
                "only its administrators may change it"
            )
        return actor

    @router.get(ACCOUNTS)
    def list_service_accounts(project: str) -> dict[str, Any]:
        request.authorize_project(project, "serviceaccount.read")
        return service.page(project, request.list_request("serviceAccounts"))

    @router.post(ACCOUNTS)
    def create_service_account(project: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "serviceaccount.create")
        return service.create(project, request.body(), actor)

    @router.get(account_path)
    def get_service_account(project: str, account: str) -> dict[str, Any]:
        request.authorize_project(project, "serviceaccount.read")
        return service.get(project, account)

    @router.patch(account_path)
    def update_service_account(project: str, account: str) -> dict[str, Any]:
        actor = authorize_change(project, account, "serviceaccount.update")
        return service.update(project, account, request.body(), request.field_mask(), actor)

    @router.delete(account_path)
    def delete_service_account(project: str, account: str) -> dict[str, Any]:
        actor = authorize_change(project, account, "serviceaccount.delete")
        return service.delete(project, account, actor)

    @router.get(keys_path)
    def list_keys(project: str, account: str) -> dict[str, Any]:
        request.authorize_project(project, "serviceaccount.key.read")
        return service.page_of_keys(project, account, request.list_request("keys"))

    @router.post(keys_path)
    def create_key(project: str, account: str) -> dict[str, Any]:
        actor = authorize_change(project, account, "serviceaccount.key.create")
        return service.create_key(project, account, actor)

    @router.get(keys_path + "/<key>")
    def get_key(project: str, account: str, key: str) -> dict[str, Any]:
        request.authorize_project(project, "serviceaccount.key.read")
        return service.get_key(project, account, key)

    @router.delete(keys_path + "/<key>")
    def delete_key(project: str, account: str, key: str) -> dict[str, Any]:
        actor = authorize_change(project, account, "serviceaccount.key.delete")
        return service.delete_key(project, account, key, actor)

    return router
