"""All schemas of the document, by name. Enumerations and limits are the code's own."""

from dataconnectors.api.openapi import (
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
    schema,
    serviceaccounts,
    tokens,
    tryouts,
)
from dataconnectors.api.openapi.schema import Schema

SCHEMAS: dict[str, Schema] = {
    **connectors.SCHEMAS,
    **attempts.SCHEMAS,
    **deliveries.SCHEMAS,
    **replays.SCHEMAS,
    **tryouts.SCHEMAS,
    **events.SCHEMAS,
    **devices.SCHEMAS,
    **projects.SCHEMAS,
    **organizations.SCHEMAS,
    **roles.SCHEMAS,
    **members.SCHEMAS,
    **serviceaccounts.SCHEMAS,
    **audit.SCHEMAS,
    **tokens.SCHEMAS,
    **schema.SCHEMAS,
    "OpenApi": {"type": "object"},
}
