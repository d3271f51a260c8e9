"""All operations of the API, in the order of the page."""

from dataconnectors.api.openapi import (
    about,
    audit,
    connectors,
    devices,
    events,
    members,
    organizations,
    projects,
    roles,
    serviceaccounts,
    tokens,
)
from dataconnectors.api.openapi.operation import Operation

TAGS = {
    "Authentication": "An access token for a service account's key.",
    "Data connectors": "Where a project's events are pushed to.",
    "Events": "Events in, and what became of them.",
    "Devices": "What sends events, with its labels and last values.",
    "Projects": "What everything else belongs to.",
    "Members": "Who has which roles in a project.",
    "Service accounts": "Programs that call this API, and their keys.",
    "Organizations": "What projects belong to; a deployment has one.",
    "Roles": "What roles permit.",
    "Audit": "Who changed what, when, and from where.",
    "About": "What describes this API.",
}

OPERATIONS: tuple[Operation, ...] = (
    *tokens.OPERATIONS,
    *connectors.OPERATIONS,
    *events.OPERATIONS,
    *devices.OPERATIONS,
    *projects.OPERATIONS,
    *members.OPERATIONS,
    *serviceaccounts.OPERATIONS,
    *organizations.OPERATIONS,
    *roles.OPERATIONS,
    *audit.OPERATIONS,
    *about.OPERATIONS,
)
