"""The parameters of the document: what paths, queries and headers may hold."""

from typing import Any

from dataconnectors.api.openapi import examples
from dataconnectors.api.openapi.schema import ID_PATTERN, Schema
from dataconnectors.devices.device import DEVICE_TYPES
from dataconnectors.events.event_types import EVENT_TYPES
from dataconnectors.identity.projects import ORGANIZATION
from dataconnectors.identity.roles import ROLES
from dataconnectors.tryouts.try_out import ID_PATTERN as TRY_OUT_ID_PATTERN


def _path_parameter(name: str, description: str, schema: Schema) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
    }


def _id(example: str) -> Schema:
    return {"type": "string", "pattern": ID_PATTERN, "examples": [example]}


def _query_parameter(name: str, description: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _several(entries: Schema) -> Schema:
    return {"type": "array", "items": entries}


_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time", "examples": [examples.TIME]}

PARAMETERS: dict[str, dict[str, Any]] = {
    f"{parameter['in']}-{parameter['name']}": parameter
    for parameter in (
        _path_parameter("project", "The project's id.", _id(examples.PROJECT)),
        _path_parameter("connector", "The connector's id.", _id(examples.CONNECTOR)),
        _path_parameter("replay", "The replay's id.", _id(examples.REPLAY)),
        _path_parameter("attempt", "The attempt's id.", _TEXT | {"examples": [examples.ATTEMPT]}),
        _path_parameter(
            "tryout",
            "The id of an address to try connectors with.",
            {"type": "string", "pattern": TRY_OUT_ID_PATTERN, "examples": [examples.TRY_OUT]},
        ),
        _path_parameter("device", "The device's id.", _id(examples.DEVICE)),
        _path_parameter("account", "The service account's id.", _id(examples.ACCOUNT)),
        _path_parameter("key", "The key's id.", _id(examples.KEY)),
        _path_parameter(
            "member",
            "The member's id. A service account has the same id as a member.",
            _id(examples.ACCOUNT),
        ),
        _path_parameter(
            "organization",
            "The organization's id.",
            _id(ORGANIZATION.removeprefix("organizations/")),
        ),
        _path_parameter(
            "role",
            "The role's id.",
            {"type": "string", "enum": [name.removeprefix("roles/") for name in ROLES]},
        ),
        _path_parameter(
            "label", "The label's key.", _TEXT | {"minLength": 1, "examples": ["name"]}
        ),
        _query_parameter(
            "pageSize",
            "The most entries on the page. Without it, or with 0, as many as possible.",
            {"type": "integer", "minimum": 0, "maximum": 999_999_999},
        ),
        _query_parameter("pageToken", "The `nextPageToken` of the page before.", _TEXT),
        _query_parameter("startTime", "Only entries from this time on.", _TIME),
        _query_parameter("endTime", "Only entries before this time.", _TIME),
        _query_parameter(
            "eventTypes",
            "Only events of these types.",
            _several({"type": "string", "enum": list(EVENT_TYPES)}),
        ),
        _query_parameter(
            "outcome",
            "Only attempts that ended so.",
            {"type": "string", "enum": ["SUCCEEDED", "FAILED"]},
        ),
        _query_parameter("eventId", "Only attempts of this event.", _id(examples.EVENT)),
        _query_parameter(
            "deviceName",
            "Only attempts of events of the device with this name.",
            _TEXT | {"examples": [f"projects/{examples.PROJECT}/devices/{examples.DEVICE}"]},
        ),
        _query_parameter("event", "The id of the event to explain.", _id(examples.EVENT)),
        _query_parameter(
            "device",
            "The id or the name of the event's device.",
            _TEXT | {"examples": [examples.DEVICE]},
        ),
        _query_parameter("time", "The timestamp of the event.", _TIME),
        _query_parameter("update_mask", "The fields to change, joined by commas.", _TEXT),
        _query_parameter("query", "Words that all have to occur in names or labels.", _TEXT),
        _query_parameter("device_ids", "Only these devices.", _several(_id(examples.DEVICE))),
        _query_parameter(
            "device_types",
            "Only devices of these types.",
            _several({"type": "string", "enum": list(DEVICE_TYPES)}),
        ),
        _query_parameter(
            "product_numbers", "Only devices with these product numbers.", _several(_TEXT)
        ),
        _query_parameter(
            "label_filters",
            "Only devices with all of these labels: `key=value`, or `key=` for any value.",
            _several(_TEXT),
        ),
        _query_parameter(
            "order_by",
            "The field to sort by: `name`, `type`, `productNumber`, `labels.<key>` or "
            "`reported.<event type>.<field>`. With `-` in front, the order is descending.",
            _TEXT | {"examples": ["-reported.temperature.value"]},
        ),
        _query_parameter(
            "organization",
            "Only projects of this organization.",
            _TEXT | {"examples": [ORGANIZATION]},
        ),
        _query_parameter(
            "projects",
            "Only these projects, in a list with `-` in the place of the project.",
            _several(_TEXT),
        ),
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": (
                "Distinguishes equal calls: with another key, a call creates a second connector."
            ),
            "schema": _TEXT,
        },
    )
}
