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
    replays,
    roles,
    serviceaccounts,
    tokens,
)
from dataconnectors.api.openapi.operation import Operation

TAGS = {
    "Authentication": "Access tokens for service accounts.",
    "Data connectors": "The endpoints that events of a project are pushed to.",
    "Replays": "History once more for one connector, and what its endpoint never got.",
    "Events": "Publishing events, and reading the events of a device.",
    "Devices": "The senders of events, with their labels and last values.",
    "Projects": "Devices, connectors, members and service accounts belong to a project.",
    "Members": "The roles that service accounts and people have in a project.",
    "Service accounts": "Programs that call this API, and their keys.",
    "Organizations": "Projects belong to an organization. A deployment has one organization.",
    "Roles": "The permissions of each role.",
    "Audit": "Who changed what, when, and from which address.",
    "About": "The description of this API.",
}

OPERATIONS: tuple[Operation, ...] = (
    *tokens.OPERATIONS,
    *connectors.OPERATIONS,
    *replays.OPERATIONS,
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
