"""Lists that fit one page are complete unless a page size is given.

The vendor's SDK never sends a page size. It also sends the last page token of one list with the
first request of the next list. So a list without a page size is complete, whatever token comes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from dataconnectors.identity import roles
from dataconnectors.kernel import paging
from functions.config_api import app as config_api
from tests.integration.conftest import Client, new_administrator
from tests.support.http_api import LambdaContext, content, request

URL = "https://example.com/hook"

LISTS = {
    "/v2/projects/{project}/dataconnectors": "dataConnectors",
    "/v2/projects/{project}/members": "members",
    "/v2/projects/{project}/permissions": "permissions",
    "/v2/projects/{project}/serviceaccounts": "serviceAccounts",
    "/v2/projects/{project}/serviceaccounts/{account}/keys": "keys",
    "/v2/organizations": "organizations",
    "/v2/organizations/default/members": "members",
    "/v2/organizations/default/permissions": "permissions",
    "/v2/roles": "roles",
}
"""The paths of lists, and the name of their entries in an answer."""

SHORTEST = {"/v2/organizations": 1, "/v2/organizations/default/members": 2}
"""The lists that have fewer than three entries in these tests, and their least number."""


class Project:
    """A project with three resources of each kind, seen by the organization's administrator."""

    def __init__(self, organizer: Client) -> None:
        self.admin = new_administrator("Lists")
        self.headers = organizer.headers
        for number in range(3):
            self.connect({"httpConfig": {"url": URL, "signatureSecret": f"secret {number}"}})
        accounts = [self.admin.account_with(roles.USER) for _ in range(3)]
        email = accounts[0].account["email"]
        self.account = email.partition("@")[0]
        for _ in range(2):
            self.admin.call("POST", f"/serviceaccounts/{self.account}/keys")
        member = {"email": email, "roles": [roles.ORGANIZATION_ADMIN]}
        body = request("POST", "/v2/organizations/default/members", member, headers=self.headers)
        assert config_api.lambda_handler(body, LambdaContext())["statusCode"] == 200

    def connect(self, body: Mapping[str, Any]) -> str:
        """Create a connector; its path below the project."""
        status, made = self.admin.call("POST", "/dataconnectors", body)
        assert status == 200, made
        return str(made["name"]).removeprefix(f"projects/{self.admin.project}")

    def get(self, path: str, query: str = "") -> tuple[int, Any]:
        """A page of a list."""
        path = path.format(project=self.admin.project, account=self.account)
        event = request("GET", path, query=query, headers=self.headers)
        answer = config_api.lambda_handler(event, LambdaContext())
        return answer["statusCode"], content(answer)

    def pages(self, path: str, size: str) -> Iterator[Any]:
        """All pages of a list, with a page size such as `pageSize=1`."""
        token = ""
        while True:
            status, answer = self.get(path, f"{size}&pageToken={token}" if token else size)
            assert status == 200, answer
            yield answer[LISTS[path]]
            token = answer["nextPageToken"]
            if not token:
                return


@pytest.fixture(scope="module")
def project(organizer: Client, hurried: None) -> Project:
    """One project for all tests, which add nothing but connectors to it."""
    return Project(organizer)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", ["", "pageSize=0", "pageSize=1000", "page_size=999999999"])
def test_a_list_is_whole_unless_a_page_size_is_given(
    project: Project, path: str, query: str
) -> None:
    status, answer = project.get(path, query)
    assert status == 200
    assert answer["nextPageToken"] == ""
    assert len(answer[LISTS[path]]) >= SHORTEST.get(path, 3)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(("query", "size"), [("pageSize=1", 1), ("page_size=2", 2)])
def test_pages_have_the_requested_size_and_together_are_the_list(
    project: Project, path: str, query: str, size: int
) -> None:
    whole = project.get(path)[1][LISTS[path]]
    pages = list(project.pages(path, query))
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert 1 <= len(pages[-1]) <= size  # no page is empty, so the last one has no token
    assert [entry for page in pages for entry in page] == whole


@pytest.mark.parametrize("path", LISTS)
def test_a_page_token_continues_a_list_without_a_page_size_too(project: Project, path: str) -> None:
    whole = project.get(path)[1][LISTS[path]]
    token = project.get(path, "pageSize=1")[1]["nextPageToken"]
    rest = project.get(path, f"pageToken={token}" if token else "pageSize=1")[1][LISTS[path]]
    assert rest == (whole[1:] if token else whole)


ANOTHER_LISTS = paging.encode_token(["another", "a"])
FOREIGN = [
    "x",
    "W10",
    "MTIz",
    "%00",
    paging.encode_token(["a"]),
    paging.encode_token([1, 2]),
    ANOTHER_LISTS,
]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("token", FOREIGN)
def test_a_token_of_another_list_is_refused_with_a_page_size_and_ignored_without(
    project: Project, path: str, token: str
) -> None:
    status, answer = project.get(path, f"pageSize=1&pageToken={token}")
    assert (status, answer["error"].partition(":")[0]) == (400, "pageToken")
    assert project.get(path, f"pageToken={token}") == project.get(path)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("size", ["-1", "x", "1e3", "1.5", "9999999999"])
def test_an_invalid_page_size_is_refused(project: Project, path: str, size: str) -> None:
    status, answer = project.get(path, f"pageSize={size}")
    assert (status, answer["error"].partition(":")[0]) == (400, "pageSize")


def test_only_the_secrets_of_the_connectors_on_the_page_are_opened(project: Project) -> None:
    path = "/v2/projects/{project}/dataconnectors"
    events = config_api.vault._kms.meta.events
    opened: list[Any] = []
    for query, count in (("pageSize=1", 1), ("pageSize=2", 2), ("", 3)):
        for key in config_api.vault._plaintexts.entries():
            config_api.vault._plaintexts.forget(key)
        opened.clear()
        events.register("provide-client-params.kms.Decrypt", lambda **_: opened.append(1), "count")
        shown = project.get(path, query)[1]["dataConnectors"]
        events.unregister("provide-client-params.kms.Decrypt", unique_id="count")
        assert len(shown) == count
        # The key that signs access tokens is decrypted, too.
        assert len(opened) == count + 1


def test_a_deleted_connector_is_on_no_page(organizer: Client, hurried: None) -> None:
    project = Project(organizer)
    path = "/v2/projects/{project}/dataconnectors"
    names = [each["name"] for each in project.get(path)[1]["dataConnectors"]]
    token = project.get(path, "pageSize=1")[1]["nextPageToken"]
    for name in (names[0], names[1]):
        below = name.removeprefix(f"projects/{project.admin.project}")
        assert project.admin.call("DELETE", below)[0] == 200
    for query in ("", "pageSize=1", f"pageSize=1&pageToken={token}"):
        answer = project.get(path, query)[1]
        assert [each["name"] for each in answer["dataConnectors"]] == [names[2]]
        assert answer["nextPageToken"] == ""
