"""A session with the vendor's unmodified SDK: every call of it that a stack serves.

    export DT_CREDENTIALS_FILE=.local/credentials.json
    python sdk_session.py http://127.0.0.1:8000/v2 https://127.0.0.1:8443/hook/session

The arguments are a stack's base URL and an HTTPS endpoint that answers 200. The account of the
credentials file has to administer the organization, as the first account of a deployment does. The
session prints each call with its answer, and ends at the first unexpected answer. It works in new
projects, which it deletes at the end. It needs no package but `disruptive`.
"""

import re
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import disruptive as dt

ORGANIZATION = "default"

REQUEST_SECONDS = 20
"""The SDK's time limit for an answer. By default it repeats a request after 3 s, even one that
creates something, and a local stack's functions may start more slowly on a busy machine."""

ARRIVAL_SECONDS = 60
"""Until a delivery is counted. The first one waits for a cold start."""

NOT_CALLED: Mapping[str, str] = {
    "Claim.claim_info": "claiming is about hardware that the vendor has sold",
    "Claim.claim": "claiming is about hardware that the vendor has sold",
    "Stream.event_stream": "a Lambda function can't keep a stream open: events come by connectors",
}
"""Calls that no stack serves, and why."""

_ID = re.compile(r"\b(?:emu)?[0-9a-v]{16}([0-9a-v]{4})\b")

T = TypeVar("T")


class SessionError(Exception):
    """The stack's answer is not the expected one."""


def expect(found: object, wanted: object) -> None:
    """Raise `SessionError` unless `found` equals `wanted`."""
    if found != wanted:
        raise SessionError(f"expected {wanted!r}, got {found!r}")


class Session:
    """Calls the SDK as two callers, and prints each call with its result."""

    def __init__(self, endpoint: str, say: Callable[[str], None] = print) -> None:
        """`endpoint` is the URL that deliveries go to; `say` takes the transcript's lines."""
        self.endpoint = endpoint
        self.token_endpoint = ""
        self.secret = secrets.token_urlsafe(32)
        self.person = f"{secrets.token_hex(4)}@example.com"
        self.called: set[str] = set()
        self._say = say

    def call(self, method: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Make a call; returns what the SDK's method returns."""
        result = method(*arguments, **options)
        self._note(method, arguments, options, shown(result))
        return result

    def refused(
        self, error: type[Exception], method: Callable[..., Any], *arguments: Any, **options: Any
    ) -> None:
        """Make a call that has to raise the SDK's `error`."""
        try:
            result = method(*arguments, **options)
        except error as raised:
            content = raised.args[0]
            reason = content["error"] if isinstance(content, dict) else content.splitlines()[0]
            self._note(method, arguments, options, f"{error.__name__}: {reason}")
        else:
            raise SessionError(f"{method.__qualname__}: expected {error.__name__}, got {result!r}")

    def _note(
        self,
        method: Callable[..., Any],
        arguments: tuple[Any, ...],
        options: Mapping[str, Any],
        outcome: str,
    ) -> None:
        name = method.__qualname__
        self.called.add(name)
        given = [shown(each) for each in arguments]
        given += [f"{key}={shown(value)}" for key, value in options.items()]
        if name == "Auth.service_account":
            given = ["…"]
        # The end of an id is shown, because its beginning is the time.
        self._say(_ID.sub(r"…\1", f"{name}({', '.join(given)}) -> {outcome}"))


def shown(value: object) -> str:
    """A value as the transcript shows it: enough to identify it, and without secrets."""
    if isinstance(value, list):
        rest = [f"… {len(value)} in all"] if len(value) > 2 else []
        return f"[{', '.join([*map(shown, value[:2]), *rest])}]"
    if isinstance(value, dt.outputs.OutputBase):
        parts = [str(value.raw.get("name", type(value).__name__))]
        for field in ("displayName", "roles", "status", "labels", "eventType", "data", "metrics"):
            if value.raw.get(field):
                parts.append(f"{field}={value.raw[field]!r}")
        return " ".join(parts)
    if isinstance(value, dt.DataConnector.HttpPushConfig):
        return f"HttpPushConfig({value.url!r}, …)"
    if isinstance(value, datetime):
        return f"{value:%FT%TZ}"
    return repr(value) if isinstance(value, str | bool | dict | None) else type(value).__name__


def session(do: Session) -> None:
    """Run the whole session. `do.call` makes a call, and `expect` checks its result."""
    project, other = organize(do)
    account_id, script = introduce(do, project)
    connector_id = connect(do, project, script)
    device_id = measure(do, project, script)
    deliver(do, project, connector_id, device_id, script)
    move(do, project, other, device_id)
    delete_leftovers(do, project, connector_id, account_id, script)


def organize(do: Session) -> tuple[str, str]:
    """Use the organization and its members, and create two projects; the projects' ids."""
    nobody = do.call(dt.Auth.unauthenticated)
    administrator: Any = do.call(dt.Auth.init)  # Once more what the SDK did when it was imported
    if isinstance(administrator, type(nobody)):
        raise SessionError("no credentials: DT_CREDENTIALS_FILE has to name a file with some")
    do.token_endpoint = administrator.token_endpoint
    do.refused(dt.errors.Unauthorized, dt.Organization.list_organizations, auth=nobody)
    (listed,) = do.call(dt.Organization.list_organizations)
    found = do.call(dt.Organization.get_organization, ORGANIZATION)
    expect(found.display_name, listed.display_name)
    expect("project.create" in do.call(dt.Organization.list_permissions, ORGANIZATION), True)

    roles = [dt.Role.ORGANIZATION_ADMIN]
    person = do.call(dt.Organization.add_member, ORGANIZATION, do.person, roles)
    again = do.call(dt.Organization.get_member, person.member_id, ORGANIZATION)
    expect((again.email, again.roles, again.status), (do.person, roles, "PENDING"))
    url = do.call(dt.Organization.get_member_invite_url, person.member_id, ORGANIZATION)
    expect(url.partition(":")[0], dt.base_url.partition(":")[0])
    do.call(dt.Organization.remove_member, person.member_id, ORGANIZATION)
    members = do.call(dt.Organization.list_members, ORGANIZATION)
    expect(do.person in [member.email for member in members], False)

    made = do.call(dt.Project.create_project, ORGANIZATION, "A session")
    do.call(dt.Project.update_project, made.project_id, f"Session {made.project_id}")
    found_project = do.call(dt.Project.get_project, made.project_id)
    expect(found_project.display_name, f"Session {made.project_id}")
    named = do.call(dt.Project.list_projects, ORGANIZATION, made.project_id)
    expect([each.project_id for each in named], [made.project_id])
    other = do.call(dt.Project.create_project, ORGANIZATION, "Another project")
    return made.project_id, other.project_id


def introduce(do: Session, project: str) -> tuple[str, Any]:
    """Create a service account with a key and make it a member; its id and its authentication."""
    accounts = dt.ServiceAccount
    made = do.call(accounts.create_service_account, project, "Script")
    account = made.service_account_id
    key = do.call(accounts.create_key, account, project)
    script: Any = do.call(dt.Auth.service_account, key.key_id, key.secret, made.email)
    script.token_endpoint = do.token_endpoint
    do.refused(dt.errors.NotFound, dt.Project.get_project, project, auth=script)  # No member yet

    member = do.call(dt.Project.add_member, project, made.email, [dt.Role.PROJECT_DEVELOPER])
    expect((member.status, member.account_type), ("ACCEPTED", "SERVICE_ACCOUNT"))
    do.refused(dt.errors.Conflict, dt.Project.add_member, project, made.email, [member.roles[0]])
    do.refused(dt.errors.Forbidden, dt.Project.delete_project, project, auth=script)
    do.call(dt.Project.update_member, member.member_id, project, [dt.Role.PROJECT_ADMIN])
    again = do.call(dt.Project.get_member, member.member_id, project, auth=script)
    expect(again.roles, [dt.Role.PROJECT_ADMIN])
    permissions = do.call(dt.Project.list_permissions, project, auth=script)
    expect("dataconnector.create" in permissions, True)
    expect("project.create" in permissions, False)

    roles = do.call(dt.Role.list_roles, auth=script)
    expect(set(dt.Role.ROLES) <= {role.role for role in roles}, True)
    role = do.call(dt.Role.get_role, dt.Role.PROJECT_ADMIN, auth=script)
    expect(sorted(role.permissions), sorted(permissions))

    person = do.call(dt.Project.add_member, project, do.person, [dt.Role.PROJECT_USER], auth=script)
    members = do.call(dt.Project.list_members, project, auth=script)
    expect(sorted(each.email for each in members), sorted([made.email, do.person]))
    url = do.call(dt.Project.get_member_invite_url, person.member_id, project, auth=script)
    expect(url.partition(":")[0], dt.base_url.partition(":")[0])
    do.call(dt.Project.remove_member, person.member_id, project, auth=script)

    do.call(accounts.update_service_account, account, project, "Renamed", True, auth=script)
    found = do.call(accounts.get_service_account, account, project, auth=script)
    expect((found.display_name, found.basic_auth_enabled), ("Renamed", True))
    (listed,) = do.call(accounts.list_service_accounts, project, auth=script)
    expect(listed.email, made.email)
    spare = do.call(accounts.create_key, account, project, auth=script)
    again_key = do.call(accounts.get_key, spare.key_id, account, project, auth=script)
    expect((again_key.create_time, again_key.secret), (spare.create_time, None))
    do.call(accounts.delete_key, spare.key_id, account, project, auth=script)
    (kept,) = do.call(accounts.list_keys, account, project, auth=script)
    expect(kept.key_id, key.key_id)
    return account, script


def connect(do: Session, project: str, script: Any) -> str:
    """Create a connector to the endpoint; its id."""
    config = dt.DataConnector.HttpPushConfig(do.endpoint, do.secret, {"x-team": "blue"})
    made = do.call(
        dt.DataConnector.create_data_connector,
        project,
        config,
        event_types=["temperature"],
        labels=["name", "room"],
        auth=script,
    )
    place = made.data_connector_id, project
    do.call(dt.DataConnector.update_data_connector, *place, display_name="Renamed", auth=script)
    found = do.call(dt.DataConnector.get_data_connector, *place, auth=script)
    expect((found.display_name, found.status), ("Renamed", "ACTIVE"))
    expect((found.event_types, found.labels), (["temperature"], ["name", "room"]))
    http: Any = found.config
    expect((http.url, http.signature_secret), (do.endpoint, do.secret))
    expect(http.headers, {"x-team": "blue"})
    (listed,) = do.call(dt.DataConnector.list_data_connectors, project, auth=script)
    expect(listed.raw, found.raw)
    metrics = do.call(dt.DataConnector.get_metrics, *place, auth=script)
    expect((metrics.success_count, metrics.error_count), (0, 0))
    return made.data_connector_id


def measure(do: Session, project: str, script: Any) -> str:
    """Create a device with labels and let it report a temperature; its id."""
    made = do.call(dt.Emulator.create_device, project, dt.Device.TEMPERATURE, "Fridge", auth=script)
    device = made.device_id
    expect(do.call(dt.Device.set_label, device, project, "room", "11", auth=script), [])
    labels = {"room": "12", "floor": "2"}
    expect(
        do.call(dt.Device.batch_update_labels, [device], project, labels, ["shelf"], auth=script),
        [],
    )
    expect(do.call(dt.Device.remove_label, device, project, "floor", auth=script), [])
    do.call(
        dt.Emulator.publish_event, device, project, dt.events.Temperature(celsius=4.5), auth=script
    )

    found = do.call(dt.Device.get_device, device, project, auth=script)
    expect(found.labels, {"name": "Fridge", "room": "12"})
    reported: Any = found.reported
    expect(reported.temperature.celsius, 4.5)
    listed = do.call(
        dt.Device.list_devices,
        project,
        query="fridge",
        device_types=[dt.Device.TEMPERATURE],
        label_filters={"room": "12"},
        order_by="-reported.temperature.value",
        auth=script,
    )
    expect([each.device_id for each in listed], [device])
    week_ago = datetime.now(UTC) - timedelta(days=7)
    events = do.call(
        dt.EventHistory.list_events, device, project, ["temperature"], week_ago, auth=script
    )
    expect([event.data.celsius for event in events], [4.5])
    return device


def deliver(do: Session, project: str, connector: str, device: str, script: Any) -> None:
    """Sync the connector, and wait until both deliveries of the event are counted."""
    do.call(dt.DataConnector.sync_data_connector, connector, project, auth=script)
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while True:
        metrics = dt.DataConnector.get_metrics(connector, project, auth=script)
        if metrics.success_count >= 2 or time.monotonic() > deadline:
            break
        time.sleep(1)
    metrics = do.call(dt.DataConnector.get_metrics, connector, project, auth=script)
    expect((metrics.success_count, metrics.error_count), (2, 0))


def move(do: Session, project: str, other: str, device: str) -> None:
    """Transfer the device to the other project, and delete it."""
    do.refused(dt.errors.BadRequest, dt.Project.delete_project, project)  # It is not empty
    expect(do.call(dt.Device.transfer_devices, [device], project, other), [])
    expect(do.call(dt.Device.get_device, device).project_id, other)  # Wherever it is
    do.call(dt.Emulator.delete_device, device, other)
    do.refused(dt.errors.NotFound, dt.Device.get_device, device, other)
    do.call(dt.Project.delete_project, other)


def delete_leftovers(do: Session, project: str, connector: str, account: str, script: Any) -> None:
    """Delete everything that the session has created."""
    do.call(dt.DataConnector.delete_data_connector, connector, project, auth=script)
    do.refused(
        dt.errors.NotFound, dt.DataConnector.get_data_connector, connector, project, auth=script
    )
    do.call(dt.ServiceAccount.delete_service_account, account, project)
    do.call(dt.Project.delete_project, project)
    do.refused(dt.errors.NotFound, dt.Project.get_project, project)


def main(api: str, endpoint: str) -> None:
    """Run a session on the stack whose base URL is `api`."""
    dt.base_url = dt.emulator_base_url = api
    dt.request_timeout = REQUEST_SECONDS
    session(Session(endpoint))


if __name__ == "__main__":
    main(*sys.argv[1:])
