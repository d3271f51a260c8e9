"""A project's configuration goes through a file, over HTTP, into another project."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dataconnectors.connectors.secrets import MASK, masked_url
from dataconnectors.identity.accounts import EMAIL_DOMAIN
from ops import configuration
from ops.configuration import Api, ConfigurationError, checked, exported, imported, project_of
from tests.integration.conftest import Client, new_administrator
from tests.integration.test_ingest import connect

pytestmark = pytest.mark.usefixtures("hurried")

SECRETS: dict[str, Any] = {
    "signatureSecret": "a signature secret of mine",
    "headers": {"X-Key": "a key of mine"},
    "standardWebhooks": True,
}
OF_BOTH = ("displayName", "type", "status", "events", "labels", "httpConfig")


def credentials(client: Client, base_url: str) -> dict[str, str]:
    return client.account | {"tokenEndpoint": f"{base_url}/oauth2/token"}


def api_of(client: Client, base_url: str) -> Api:
    waits: list[float] = []
    return Api(credentials(client, base_url), sleep=waits.append)


def furnish(client: Client) -> None:
    """Give a project something of each kind."""
    url = "https://a.example/hook?code=a+code+of+mine&v="
    connect(client, displayName="Signed", httpConfig={"url": url} | SECRETS)
    path = connect(client, displayName="Paused", events=["touch"], labels=[])
    assert client.call("POST", f"{path}:pause")[0] == 200
    connect(client, displayName="Disabled", status="USER_DISABLED")
    account = client.call("POST", "/serviceaccounts", {"displayName": "Terraform"})[1]
    member = {"email": account["email"], "roles": ["roles/project.developer"]}
    client.call("POST", "/members", member)
    person = {"email": "someone@example.com", "roles": ["roles/project.user"]}
    client.call("POST", "/members", person)
    client.call("POST", "/devices", {"type": "touch", "labels": {"name": "Door"}})


def connectors(client: Client) -> list[dict[str, Any]]:
    """What the two projects must have in common, by display name."""
    found = client.call("GET", "/dataconnectors")[1]["dataConnectors"]
    found.sort(key=lambda each: each["displayName"])
    return [{name: each[name] for name in OF_BOTH} for each in found]


def states(client: Client) -> list[str]:
    health = client.call("GET", "/dataconnectors:health")[1]["dataConnectorHealth"]
    return sorted(each["state"] for each in health)


def test_an_export_with_secrets_makes_the_same_connectors_in_another_project(
    client: Client, base_url: str
) -> None:
    furnish(client)
    other = new_administrator("Other")
    document = exported(api_of(client, base_url), client.project, secrets=True)
    lines = list(imported(api_of(other, base_url), other.project, json.loads(json.dumps(document))))
    assert connectors(other) == connectors(client)
    assert states(other) == states(client)
    roles = {each["email"]: each["roles"] for each in other.call("GET", "/members")[1]["members"]}
    assert roles["someone@example.com"] == ["roles/project.user"]
    accounts = other.call("GET", "/serviceaccounts")[1]["serviceAccounts"]
    (terraform,) = (each for each in accounts if each["displayName"] == "Terraform")
    assert roles[terraform["email"]] == ["roles/project.developer"]
    assert "left out labels of 1 devices that are not there: repeat after their events" in lines
    assert not re.search("of.mine", "\n".join(lines))


def test_without_secrets_an_export_has_none_and_what_needs_them_stays_disabled(
    client: Client, base_url: str
) -> None:
    furnish(client)
    document = exported(api_of(client, base_url), client.project)
    text = json.dumps(document)
    assert not re.search("of.mine", text)
    assert not document["hasSecrets"]
    other = new_administrator("Other")
    lines = list(imported(api_of(other, base_url), other.project, document))
    *rest, signed = connectors(other)
    assert (signed["status"], signed["httpConfig"]["headers"]) == ("USER_DISABLED", {})
    assert signed["httpConfig"]["url"] == "https://a.example/hook"
    assert rest == connectors(client)[:-1]
    note = (
        "it is disabled: set its url, with its query, signatureSecret, standardWebhooks, "
        "header X-Key, then enable it"
    )
    assert sum(line.endswith(note) for line in lines) == 1


@pytest.mark.parametrize("secrets", [True, False])
def test_a_repeated_import_makes_nothing_twice(
    client: Client, base_url: str, secrets: bool
) -> None:
    furnish(client)
    document = exported(api_of(client, base_url), client.project, secrets=secrets)
    other = new_administrator("Other")
    list(imported(api_of(other, base_url), other.project, document))
    made = connectors(other)
    assert (made == connectors(client)) is secrets
    for again in (other, client):
        lines = list(imported(api_of(again, base_url), again.project, document))
        assert [line for line in lines if line.startswith("made")] == []
    assert connectors(other) == made


def test_labels_of_devices_come_back_and_those_that_are_there_stay(
    client: Client, base_url: str
) -> None:
    made = client.call("POST", "/devices", {"type": "touch", "labels": {"name": "A", "room": "1"}})
    name = made[1]["name"]
    document = exported(api_of(client, base_url), client.project)
    change = {"devices": [name], "addLabels": {"name": "B"}, "removeLabels": ["room"]}
    assert client.call("POST", "/devices:batchUpdate", change)[0] == 200
    lines = list(imported(api_of(client, base_url), client.project, document))
    assert "labelled 1 devices" in lines
    (device,) = client.call("GET", "/devices")[1]["devices"]
    assert device["labels"] == {"name": "B", "room": "1"}


def test_who_may_not_see_secrets_cannot_export_them(client: Client, base_url: str) -> None:
    furnish(client)
    reader = client.account_with("roles/project.user")
    with pytest.raises(ConfigurationError, match="this account may not see secrets"):
        exported(api_of(reader, base_url), client.project, secrets=True)
    assert MASK in json.dumps(exported(api_of(reader, base_url), client.project))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            {"format": configuration.FORMAT, "version": 2, "release": "3.1.0"},
            "it is an export of version 2, written by release 3.1.0; this release, ",
        ),
        ({"format": configuration.FORMAT}, "it is an export of version None, written by release"),
        ({"connectors": []}, "it is no export of a project"),
        ([], "it is no export of a project"),
    ],
)
def test_an_import_of_another_versions_export_says_which(document: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        checked(document)


def test_the_commands_export_to_a_file_and_import_it(
    client: Client, base_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    furnish(client)
    key = tmp_path / "credentials.json"
    key.write_text(json.dumps({"serviceAccount": credentials(client, base_url)}))
    assert configuration.main(["export", "--credentials", str(key)]) == 0
    export = tmp_path / "project.json"
    export.write_text(capsys.readouterr().out)
    # The first is the order of the Makefile: argparse takes the file there only when told to.
    for arguments in (
        ["import", "--credentials", str(key), "--project", "", str(export)],
        ["import", str(export), "--credentials", str(key)],
    ):
        assert configuration.main(arguments) == 0
        assert capsys.readouterr().out.count("kept     connector") == 3


@pytest.mark.parametrize(
    ("files", "arguments", "said"),
    [
        ({}, ["export", "--credentials", "none.json"], "none.json: No such file or directory"),
        ({"c": "[]"}, ["export", "--credentials", "c"], "c is no credentials file"),
        ({"c": "{"}, ["export", "--credentials", "c"], "c is not JSON"),
        ({}, ["import", "--credentials", "c"], "which file? FILE=project.json"),
        ({"f": '{"a": 1}'}, ["import", "f", "--credentials", "c"], "f: it is no export"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(
    files: dict[str, str],
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert configuration.main(arguments) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_the_commands_know_the_apis_words() -> None:
    assert configuration.MASK == MASK
    for url in ("https://a.example/x", "https://a.example/x?a=b&c=", "https://a.example/?d&e==f"):
        assert configuration.masked_url(url) == masked_url(url)
    assert project_of(f"account@project.{EMAIL_DOMAIN}") == "project"
    assert configuration.EMAIL_DOMAIN == EMAIL_DOMAIN
