"""A project, and the one organization that all projects belong to."""

from dataclasses import dataclass
from typing import Any

ORGANIZATION = "organizations/default"
"""Resource name of the only organization of a deployment."""

ORGANIZATION_DISPLAY_NAME = "Default organization"


@dataclass(frozen=True, slots=True)
class Project:
    """A project. The counts are those of its devices: sensors and cloud connectors (gateways)."""

    id: str
    display_name: str
    organization: str
    sensor_count: int
    cloud_connector_count: int
    create_time: str

    @property
    def name(self) -> str:
        """The resource name: `projects/{id}`."""
        return f"projects/{self.id}"

    def matches(self, words: str) -> bool:
        """Whether each word is in its display name or its organization's, in any case."""
        text = f"{self.display_name} {ORGANIZATION_DISPLAY_NAME}".casefold()
        return all(word in text for word in words.casefold().split())


def to_api(project: Project) -> dict[str, Any]:
    """The resource as answers show it."""
    return {
        "name": project.name,
        "displayName": project.display_name,
        "organization": project.organization,
        "organizationDisplayName": ORGANIZATION_DISPLAY_NAME,
        "sensorCount": project.sensor_count,
        "cloudConnectorCount": project.cloud_connector_count,
        "inventory": False,
    }
