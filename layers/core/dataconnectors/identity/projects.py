"""Projects: what they are, and how answers show them."""

from dataclasses import dataclass
from typing import Any

ORGANIZATION = "organizations/default"
"""The one organization of a deployment."""

ORGANIZATION_DISPLAY_NAME = "Default organization"


@dataclass(frozen=True, slots=True)
class Project:
    """A project. The counts are of its devices: sensors and cloud connectors."""

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
        """Whether each of the words is in its display name or its organization's."""
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
