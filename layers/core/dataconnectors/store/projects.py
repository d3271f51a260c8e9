"""Projects in DynamoDB, and what ingest reads of one for each request."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dataconnectors.devices import Device
from dataconnectors.projects import Project
from dataconnectors.store import keys
from dataconnectors.store.devices import read_device
from dataconnectors.store.table import BATCH_GET_KEYS, Item, Table


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What ingest needs of a project: its configuration's version, and the devices asked for."""

    version: int
    devices: Mapping[str, Device]


class ProjectStore:
    """Projects and the versions of their configuration."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create_project(self, project: Project) -> None:
        """Put a project and its configuration version; `ConflictError` when the id is taken."""
        self._table.transact(
            [
                self._table.put(
                    keys.project_key(project.id)
                    | {
                        "displayName": {"S": project.display_name},
                        "organization": {"S": project.organization},
                        "sensorCount": {"N": str(project.sensor_count)},
                        "cloudConnectorCount": {"N": str(project.cloud_connector_count)},
                        "createTime": {"S": project.create_time},
                    },
                    "attribute_not_exists(pk)",
                ),
                self._table.put(keys.version_key(project.id) | {"version": {"N": "1"}}, ""),
            ],
            f"projects/{project.id} exists already",
        )

    def project(self, project_id: str) -> Project | None:
        """A project, None when absent."""
        item = self._table.get(keys.project_key(project_id))
        if item is None:
            return None
        return Project(
            id=project_id,
            display_name=item["displayName"]["S"],
            organization=item["organization"]["S"],
            sensor_count=int(item["sensorCount"]["N"]),
            cloud_connector_count=int(item["cloudConnectorCount"]["N"]),
            create_time=item["createTime"]["S"],
        )

    def snapshot(self, project_id: str, device_ids: Iterable[str]) -> Snapshot | None:
        """The configuration's version and the devices that exist; None without the project."""
        wanted = [keys.version_key(project_id)]
        wanted += [keys.device_key(project_id, device) for device in sorted(set(device_ids))]
        items: list[Item] = []
        for start in range(0, len(wanted), BATCH_GET_KEYS):
            items += self._table.batch_get(wanted[start : start + BATCH_GET_KEYS])
        version = 0
        devices = {}
        for item in items:
            if item["sk"]["S"] == "VERSION":
                version = int(item["version"]["N"])
            else:
                device = read_device(project_id, item)
                devices[device.id] = device
        return Snapshot(version, devices) if version else None
