"""All operations of the API, in the order of the page."""

from dataconnectors.api.openapi import (
    about,
    attempts,
    audit,
    connectors,
    deliveries,
    devices,
    events,
    members,
    organizations,
    projects,
    replays,
    roles,
    serviceaccounts,
    tokens,
    tryouts,
)
from dataconnectors.api.openapi.operation import Operation

TAGS = {
    "Authentication": "Access tokens for service accounts.",
    "Data connectors": "The endpoints that events of a project are pushed to.",
    "Attempts": "What was pushed, what the endpoint answered, and how long that took.",
    "Replays": "History once more for one connector, and what its endpoint never got.",
    "Try-outs": "Addresses of this deployment that connectors can be tried with.",
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
    *attempts.OPERATIONS,
    *deliveries.OPERATIONS,
    *replays.OPERATIONS,
    *tryouts.OPERATIONS,
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
