"""Projects in DynamoDB, with what ingest reads of a project for each request."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from dataconnectors.devices.device import Device
from dataconnectors.identity.audit import AuditEntry
from dataconnectors.identity.projects import Project
from dataconnectors.store import keys
from dataconnectors.store.audit import put_audit_entries
from dataconnectors.store.device_items import read_device
from dataconnectors.store.table import TRANSACTION_ACTIONS, Item, Table

_PROJECTS = "PROJECT#"
"""Begins the sort key of a project in its organization's partition."""


class Deletion(Enum):
    """How an attempt to delete a project ended."""

    DONE = auto()
    HAS_DEVICES = auto()
    CHANGED = auto()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What ingest reads of a project: the version of its configuration, and devices by id."""

    version: int
    devices: Mapping[str, Device]


class ProjectStore:
    """Projects, and the versions of their configuration."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create_project(self, project: Project, *entries: AuditEntry) -> None:
        """Put a project and its configuration version; `ConflictError` when the id is taken."""
        self._table.transact(
            [*put_project(self._table, project), *put_audit_entries(self._table, *entries)],
            f"{project.name} exists already",
        )

    def project(self, project_id: str) -> Project | None:
        """A project; None when it does not exist."""
        item = self._table.get(keys.project_key(project_id))
        return None if item is None else _project(item)

    def projects(self, project_ids: Iterable[str]) -> list[Project]:
        """The projects that exist, in the order of their ids."""
        wanted = [keys.project_key(project_id) for project_id in project_ids]
        found = [_project(item) for item in self._table.batch_get(wanted)]
        return sorted(found, key=lambda project: project.id)

    def ids_in_organization(
        self, organization: str, *, limit: int, after: str
    ) -> tuple[list[str], str]:
        """A page of ids of an organization's projects, and the id that the next page begins after.

        The page begins after the id `after`. The second value is "" after the last page.
        """
        items, rest = self._table.page(
            keys.organization_partition(organization),
            _PROJECTS,
            _PROJECTS + keys.HIGHEST,
            limit=limit,
            after=_PROJECTS + after if after else "",
        )
        ids = [item["sk"]["S"].removeprefix(_PROJECTS) for item in items]
        return ids, rest.removeprefix(_PROJECTS)

    def rename_project(self, project_id: str, display_name: str, entry: AuditEntry) -> bool:
        """Change a project's display name; False when there is no such project."""
        rename = {
            "Update": {
                "TableName": self._table.name,
                "Key": keys.project_key(project_id),
                "UpdateExpression": "SET displayName = :name",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeValues": {":name": {"S": display_name}},
            }
        }
        return self._table.try_transaction([rename, *put_audit_entries(self._table, entry)]) is None

    def version(self, project_id: str) -> int:
        """The version of a project's configuration; 0 when there is no such project."""
        item = self._table.get(keys.version_key(project_id))
        return 0 if item is None else int(item["version"]["N"])

    def delete_project(self, project: Project, version: int, entry: AuditEntry) -> Deletion:
        """Delete a project that has no devices and whose configuration still has this `version`."""
        failed = self._table.try_transaction(
            [
                self._table.delete(
                    keys.project_key(project.id),
                    "sensorCount = :none AND cloudConnectorCount = :none",
                    {":none": {"N": "0"}},
                ),
                self._table.delete(
                    keys.version_key(project.id),
                    "version = :version",
                    {":version": {"N": str(version)}},
                ),
                self._table.delete(keys.organization_project_key(project.organization, project.id)),
                *put_audit_entries(self._table, entry),
            ]
        )
        return {None: Deletion.DONE, 0: Deletion.HAS_DEVICES}.get(failed, Deletion.CHANGED)

    def delete_leftovers(self, project_id: str) -> None:
        """Delete the members, service accounts and keys of a deleted project.

        Without the project none of them gives access to anything, so when this is interrupted, what
        remains only takes up storage.
        """
        partition = keys.access_partition(f"projects/{project_id}")
        leftovers = []
        for item in self._table.query(partition):
            kind, _, entry = item["sk"]["S"].partition("#")
            leftovers.append({"pk": item["pk"], "sk": item["sk"]})
            if kind == "MEMBER":
                leftovers.append(keys.membership_key(entry, f"projects/{project_id}"))
            else:
                leftovers += [
                    keys.primary_key_of_account_key(key_id) for key_id in item["keys"]["M"]
                ]
        for start in range(0, len(leftovers), TRANSACTION_ACTIONS):
            chunk = leftovers[start : start + TRANSACTION_ACTIONS]
            self._table.try_transaction([self._table.delete(key) for key in chunk])

    def snapshot(self, project_id: str, device_ids: Iterable[str]) -> Snapshot | None:
        """The version of the configuration, and those of the devices that exist.

        None when there is no such project.
        """
        wanted = [keys.version_key(project_id)]
        wanted += [keys.device_key(project_id, device) for device in sorted(set(device_ids))]
        version = 0
        devices = {}
        for item in self._table.batch_get(wanted):
            if item["sk"]["S"] == "VERSION":
                version = int(item["version"]["N"])
            else:
                device = read_device(project_id, item)
                devices[device.id] = device
        return Snapshot(version, devices) if version else None


def put_project(table: Table, project: Project, accounts: int = 0) -> list[dict[str, Any]]:
    """The actions that put a project; the first one fails when its id is taken.

    `accounts` is how many service accounts, all of them members, the same transaction puts.
    """
    return [
        table.put(
            keys.project_key(project.id)
            | {
                "displayName": {"S": project.display_name},
                "organization": {"S": project.organization},
                "sensorCount": {"N": str(project.sensor_count)},
                "cloudConnectorCount": {"N": str(project.cloud_connector_count)},
                "memberCount": {"N": str(accounts)},
                "serviceAccountCount": {"N": str(accounts)},
                "createTime": {"S": project.create_time},
            },
            "attribute_not_exists(pk)",
        ),
        table.put(
            keys.version_key(project.id) | {"version": {"N": "1"}, "connectorCount": {"N": "0"}}, ""
        ),
        table.put(keys.organization_project_key(project.organization, project.id), ""),
    ]


def _project(item: Item) -> Project:
    return Project(
        id=item["pk"]["S"].removeprefix("PROJECT#"),
        display_name=item["displayName"]["S"],
        organization=item["organization"]["S"],
        sensor_count=int(item["sensorCount"]["N"]),
        cloud_connector_count=int(item["cloudConnectorCount"]["N"]),
        create_time=item["createTime"]["S"],
    )
