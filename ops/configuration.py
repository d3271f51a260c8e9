"""A project's configuration as JSON, from one stack, Region or release to another.

    python -m ops.configuration export --credentials FILE [--project ID] [--secrets] > project.json
    python -m ops.configuration import --credentials FILE [--project ID] project.json

Both call the public API, so they work with every stack, the local one too. FILE is the one that
`make admin` or `make run` has written. An export has the project's name, connectors, the labels of
devices, service accounts without their keys, and members. It has secrets only with `--secrets`. An
import makes what the project lacks and changes nothing that is there, so it can be repeated.
"""

import argparse
import json
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import requests

from ops.stacks import StackError

FORMAT = "dataconnectors.project"
VERSION = 1
"""What an export is, and the version of its form. It changes when an older release would read it
wrongly."""

PROJECT_FILE = Path(__file__).parents[1] / "pyproject.toml"
"""Says which release this is."""

MASK = "********"
"""What stands for a secret, in the API's answers and in an export without secrets."""

EMAIL_DOMAIN = "serviceaccount.d21s.com"
"""What emails of service accounts end with, after their project."""

TIMEOUT = 30
"""Seconds. The API answers within 29 or not at all."""

TRIES = 5
"""How often a request is sent that is refused for coming too soon, or that failed at AWS."""

LONGEST_PAUSE = 10.0
"""Seconds between two tries, whatever Retry-After says. The API's windows take 5."""

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes. A hundred connectors with the largest secrets take half a megabyte, and 100,000 devices
with their labels about thirty."""

MOST_PAGES = 10_000
"""Pages of a list at most, so that a token that repeats itself ends."""

DEVICES_PER_CALL = 250
"""The API takes so many in one batchUpdate."""

AGAIN = (429, 500, 503)

TOKEN_PATH = "/oauth2/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_LIFE = 3600
"""Seconds, as the token endpoint expects it of an assertion."""


class ConfigurationError(StackError):
    """An export or import cannot go on. The text says why, and what to do."""


class Api:
    """The public API, as one service account uses it."""

    def __init__(
        self, credentials: dict[str, str], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Log in with the key of a credentials file. `sleep` is in seconds."""
        endpoint = credentials["tokenEndpoint"]
        if not endpoint.endswith(TOKEN_PATH):
            raise ConfigurationError(f"tokenEndpoint is {endpoint}, expected …/v2{TOKEN_PATH}")
        self.base = endpoint.removesuffix(TOKEN_PATH)
        self._sleep = sleep
        self._session = requests.Session()
        now = int(time.time())
        claims = {"iat": now, "exp": now + TOKEN_LIFE, "aud": endpoint, "iss": credentials["email"]}
        key = {"kid": credentials["keyId"]}
        assertion = jwt.encode(claims, credentials["secret"], "HS256", headers=key)
        form = {"assertion": assertion, "grant_type": GRANT}
        answer = self._send("POST", TOKEN_PATH, data=form)
        self._session.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a request below the API's base; raises `ConfigurationError` otherwise."""
        return self._send(method, path, json=body)

    def listed(self, path: str, collection: str) -> Iterator[Any]:
        """Everything in a list, page by page."""
        token = ""
        for _ in range(MOST_PAGES):
            answer = self._send("GET", path, params={"pageToken": token} if token else {})
            yield from answer[collection]
            token = answer["nextPageToken"]
            if not token:
                return
        raise ConfigurationError(f"{path} has more than {MOST_PAGES} pages")

    def _send(self, method: str, path: str, **content: Any) -> Any:
        for tries_left in reversed(range(TRIES)):
            try:
                answer = self._session.request(
                    method, self.base + path, timeout=TIMEOUT, allow_redirects=False, **content
                )
            except requests.RequestException as error:
                raise ConfigurationError(
                    f"{self.base} did not answer: {type(error).__name__}"
                ) from None
            if answer.status_code not in AGAIN or not tries_left:
                break
            asked = answer.headers.get("Retry-After", "")
            self._sleep(min(float(asked) if asked.isdigit() else 1.0, LONGEST_PAUSE))
        try:
            read = answer.json()
        except ValueError:
            read = {}
        if answer.status_code != requests.codes.ok:
            said = read.get("error", "no JSON") if isinstance(read, dict) else "no object"
            raise ConfigurationError(f"{method} {path} was answered {answer.status_code}: {said}")
        return read


def release() -> str:
    """The release that this checkout is of."""
    return str(tomllib.loads(PROJECT_FILE.read_text())["project"]["version"])


# --- export --------------------------------------------------------------------------------------


def exported(api: Api, project: str, *, secrets: bool = False) -> dict[str, Any]:
    """A project's configuration. Without `secrets`, `MASK` stands for each."""
    path = f"/projects/{project}"
    paused = {
        each["name"]
        for each in api.listed(f"{path}/dataconnectors:health", "dataConnectorHealth")
        if each["state"] == "PAUSED"
    }
    roles = {each["email"]: each["roles"] for each in api.listed(f"{path}/members", "members")}
    accounts = list(api.listed(f"{path}/serviceaccounts", "serviceAccounts"))
    emails = {account["email"] for account in accounts}
    return {
        "format": FORMAT,
        "version": VERSION,
        "release": release(),
        "source": f"{api.base}{path}",
        "hasSecrets": secrets,
        "project": {"displayName": api.call("GET", path)["displayName"]},
        "connectors": [
            _connector(each, each["name"] in paused, secrets=secrets)
            for each in api.listed(f"{path}/dataconnectors", "dataConnectors")
        ],
        "devices": [
            {"id": each["name"].rpartition("/")[2], "labels": each["labels"]}
            for each in api.listed(f"{path}/devices", "devices")
            if each["labels"]
        ],
        "serviceAccounts": [
            {
                "displayName": account["displayName"],
                "enableBasicAuth": account["enableBasicAuth"],
                "roles": roles.get(account["email"], []),
            }
            for account in accounts
        ],
        "members": [
            {"email": email, "roles": given}
            for email, given in roles.items()
            if email not in emails
        ],
    }


def masked_url(url: str) -> str:
    """The URL with `MASK` for each value of its query, as the API shows it to readers."""
    address, mark, query = url.partition("?")
    parts = (part.partition("=") for part in query.split("&"))
    return (
        address
        + mark
        + "&".join(f"{name}={MASK}" if equals else MASK for name, equals, _ in parts if mark)
    )


def _connector(shown: dict[str, Any], is_paused: bool, *, secrets: bool) -> dict[str, Any]:
    http = shown["httpConfig"]
    values = [http["signatureSecret"], *http["headers"].values()]
    is_hidden = MASK in values or ("?" in http["url"] and http["url"] == masked_url(http["url"]))
    if secrets and is_hidden:
        raise ConfigurationError(
            f"{shown['name']}: this account may not see secrets. Export with a developer's or "
            "administrator's key, or without SECRETS=1"
        )
    fields = {
        "url": http["url"],
        "signatureSecret": http["signatureSecret"],
        "headers": http["headers"],
        "standardWebhooks": http.get("standardWebhooks", False),
    }
    if not secrets:
        fields["url"] = masked_url(http["url"])
        fields["signatureSecret"] = MASK if http["signatureSecret"] else ""
        fields["headers"] = dict.fromkeys(http["headers"], MASK)
    kept = ("displayName", "type", "status", "events", "labels")
    return {name: shown[name] for name in kept} | {"paused": is_paused, "httpConfig": fields}


# --- import --------------------------------------------------------------------------------------


def checked(document: Any) -> dict[str, Any]:
    """An export that this release can read; raises `ConfigurationError` that says what it is."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ConfigurationError(f"it is no export of a project: its format is not {FORMAT}")
    version, made_by = document.get("version"), str(document.get("release", "unknown"))[:40]
    if version != VERSION:
        raise ConfigurationError(
            f"it is an export of version {version!r:.20}, written by release {made_by}; this "
            f"release, {release()}, reads version {VERSION}. Import it with release {made_by}, or "
            "export it again with this one"
        )
    return document


def imported(api: Api, project: str, document: dict[str, Any]) -> Iterator[str]:
    """Make what the project lacks; a line for each thing says what was done."""
    path = f"/projects/{project}"
    yield from _import_connectors(api, path, document["connectors"])
    yield from _import_accounts(api, path, document["serviceAccounts"])
    yield from _import_members(api, path, document["members"])
    yield from _import_labels(api, path, document["devices"])


def _import_connectors(api: Api, path: str, connectors: list[dict[str, Any]]) -> Iterator[str]:
    there: set[tuple[str, str]] = set()
    for each in api.listed(f"{path}/dataconnectors", "dataConnectors"):
        url = each["httpConfig"]["url"]
        there |= {(each["displayName"], form) for form in (url, masked_url(url))}
    for connector in connectors:
        http = dict(connector["httpConfig"])
        names = {(connector["displayName"], http["url"])}
        title = f"connector '{connector['displayName']}' ({masked_url(http['url'])})"
        missing = _without_masks(http)
        names.add((connector["displayName"], http["url"]))  # An import before has left the rest out
        if names & there:
            yield f"kept     {title}: it is there"
            continue
        active = connector["status"] == "ACTIVE"
        fields = ("displayName", "type", "events", "labels")
        made = api.call(
            "POST",
            f"{path}/dataconnectors",
            {name: connector[name] for name in fields}
            | {
                "httpConfig": http,
                "status": "ACTIVE" if active and not missing else "USER_DISABLED",
            },
        )
        if connector["paused"] and active and not missing:
            api.call("POST", f"/{made['name']}:pause")
        note = f"; it is disabled: set its {', '.join(missing)}, then enable it" if missing else ""
        yield f"made     {title}{note}"


def _without_masks(http: dict[str, Any]) -> list[str]:
    """Remove what only stands for a secret, and name it: nothing is sent unsigned by mistake."""
    missing = []
    address, mark, _ = http["url"].partition("?")
    if mark and http["url"] == masked_url(http["url"]):
        missing.append("url, with its query")
        http["url"] = address
    if http["signatureSecret"] == MASK:
        missing.append("signatureSecret")
        missing += ["standardWebhooks"] if http["standardWebhooks"] else []
        http.update(signatureSecret="", standardWebhooks=False)
    hidden = [name for name, value in http["headers"].items() if value == MASK]
    http["headers"] = {name: value for name, value in http["headers"].items() if name not in hidden}
    return missing + [f"header {name}" for name in hidden]


def _import_accounts(api: Api, path: str, accounts: list[dict[str, Any]]) -> Iterator[str]:
    found = api.listed(f"{path}/serviceaccounts", "serviceAccounts")
    there = {each["displayName"] for each in found}
    for account in accounts:
        title = f"service account '{account['displayName']}'"
        if account["displayName"] in there:
            yield f"kept     {title}: one of this name is there"
            continue
        fields = {name: account[name] for name in ("displayName", "enableBasicAuth")}
        made = api.call("POST", f"{path}/serviceaccounts", fields)
        if account["roles"]:
            member = {"email": made["email"], "roles": account["roles"]}
            api.call("POST", f"{path}/members", member)
        yield f"made     {title}, {made['email']}: make a key for it"


def _import_members(api: Api, path: str, members: list[dict[str, Any]]) -> Iterator[str]:
    there = {each["email"] for each in api.listed(f"{path}/members", "members")}
    for member in members:
        if member["email"] in there:
            yield f"kept     member {member['email']}"
        elif member["email"].endswith(f".{EMAIL_DOMAIN}"):
            yield f"left out member {member['email']}: a service account of another project"
        else:
            api.call("POST", f"{path}/members", member)
            yield f"made     member {member['email']}"


def _import_labels(api: Api, path: str, devices: list[dict[str, Any]]) -> Iterator[str]:
    """Set the labels of the devices that are there, those with the same labels in one call."""
    there = {
        each["name"].rpartition("/")[2]: each["labels"]
        for each in api.listed(f"{path}/devices", "devices")
    }
    alike: dict[str, list[str]] = {}
    absent = 0
    for device in devices:
        if device["id"] not in there:
            absent += 1
        else:
            given = there[device["id"]]
            added = {key: value for key, value in device["labels"].items() if key not in given}
            if added:
                alike.setdefault(json.dumps(added), []).append(device["id"])
    for labels, ids in alike.items():
        for start in range(0, len(ids), DEVICES_PER_CALL):
            names = [f"{path[1:]}/devices/{each}" for each in ids[start : start + DEVICES_PER_CALL]]
            change = {"devices": names, "addLabels": json.loads(labels)}
            answer = api.call("POST", f"{path}/devices:batchUpdate", change)
            yield from (
                f"failed   labels of {wrong['device']}: {wrong['status']['message']}"
                for wrong in answer["batchErrors"]
            )
    changed = sum(map(len, alike.values()))
    yield f"labelled {changed} devices"
    if absent:
        yield f"left out labels of {absent} devices that are not there: repeat after their events"


# --- the command ---------------------------------------------------------------------------------


def credentials_in(path: Path) -> dict[str, str]:
    """The account in a credentials file of the vendor's SDK."""
    document = _read(path)
    account = document.get("serviceAccount") if isinstance(document, dict) else None
    names = ("keyId", "secret", "email", "tokenEndpoint")
    if not isinstance(account, dict) or not all(
        isinstance(account.get(each), str) for each in names
    ):
        raise ConfigurationError(f"{path} is no credentials file, such as `make admin` writes")
    return {name: account[name] for name in names}


def _read(path: Path) -> Any:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigurationError(f"{path} has more than {LARGEST_FILE} bytes")
        return json.loads(path.read_text())
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise ConfigurationError(f"{path} is not JSON") from None


def project_of(email: str) -> str:
    """The project of a service account: `{account}@{project}.serviceaccount…`."""
    return email.partition("@")[2].partition(".")[0]


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns 1 when it failed; what an import had made by then stays."""
    parser = argparse.ArgumentParser(prog="python -m ops.configuration")
    parser.add_argument("command", choices=("export", "import"))
    parser.add_argument("file", nargs="?", type=Path, help="the export to import")
    parser.add_argument("--credentials", required=True, type=Path)
    parser.add_argument("--project", default="", help="default: that of the account")
    parser.add_argument("--secrets", action="store_true", help="export secrets, too")
    # Intermixed: otherwise argparse takes a file that follows the options for one too many.
    options = parser.parse_intermixed_args(arguments)
    try:
        # Before anything is called: a file that cannot be imported needs no stack to say so.
        document = None
        if options.command == "import":
            if options.file is None or not str(options.file).strip(". "):
                raise ConfigurationError("which file? FILE=project.json")
            document = _checked_file(options.file)
        credentials = credentials_in(options.credentials)
        api, project = Api(credentials), options.project or project_of(credentials["email"])
        if document is None:
            print(json.dumps(exported(api, project, secrets=options.secrets), indent=2))
        else:
            for line in imported(api, project, document):
                print(line)
    except ConfigurationError as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _checked_file(path: Path) -> dict[str, Any]:
    document = _read(path)
    try:
        return checked(document)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
