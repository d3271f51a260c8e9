"""What bodies look like, sent and answered. Enumerations and limits are the code's own."""

from collections.abc import Iterable, Mapping
from typing import Any

from dataconnectors.aws.vault import MAXIMUM_PLAINTEXT
from dataconnectors.connectors.configuration import DEFAULT_LABELS, LONGEST_DISPLAY_NAME, TYPE
from dataconnectors.connectors.connector import MAXIMUM_CONNECTORS, Status
from dataconnectors.devices import labels
from dataconnectors.devices.device import (
    DEVICE_TYPES,
    LONGEST_LABEL_KEY,
    LONGEST_LABEL_VALUE,
    MAXIMUM_LABELS,
)
from dataconnectors.endpoints.addresses import LONGEST_URL
from dataconnectors.events.event import EVENT_TYPES
from dataconnectors.identity import accounts, members
from dataconnectors.identity.projects import ORGANIZATION
from dataconnectors.identity.roles import ORGANIZATION_ROLES, PROJECT_ROLES, ROLES, permissions
from dataconnectors.ingest.acceptance import MAXIMUM_EVENTS
from dataconnectors.kernel import fields
from dataconnectors.kernel.ids import LONGEST_ID
from dataconnectors.services.devices import MOST_TRANSFERRED

Schema = dict[str, Any]

ID_PATTERN = rf"^[A-Za-z0-9_-]{{1,{LONGEST_ID}}}$"
"""Of ids in paths and events, as `events.is_id` checks them."""

TIME = "2026-01-31T12:00:00.000000Z"
PROJECT = "cq1k2v3s0f4g5h6i7j8k"
DEVICE = "emucq1k2v3s0f4g5h6i7j8l"
CONNECTOR = "cq1k2v3s0f4g5h6i7j8m"
ACCOUNT = "cq1k2v3s0f4g5h6i7j8n"
KEY = "cq1k2v3s0f4g5h6i7j8o"
"""Of the examples."""


def ref(name: str) -> Schema:
    """A schema of the document by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(description: str = "", **more: Any) -> Schema:
    """A text; `more` are further keywords."""
    return _described({"type": "string"} | more, description)


def _described(schema: Schema, description: str) -> Schema:
    return schema | ({"description": description} if description else {})


def _time(description: str) -> Schema:
    return text(description, format="date-time", examples=[TIME])


def _number(description: str) -> Schema:
    return _described({"type": "number"}, description)


def _count(description: str) -> Schema:
    return _described({"type": "integer", "minimum": 0}, description)


def _flag(description: str) -> Schema:
    return _described({"type": "boolean"}, description)


def _choice(values: Iterable[str], description: str = "") -> Schema:
    return _described({"type": "string", "enum": list(values)}, description)


def _list(entries: Schema, description: str = "", **more: Any) -> Schema:
    return _described({"type": "array", "items": entries} | more, description)


def _texts(description: str) -> Schema:
    return _described({"type": "object", "additionalProperties": {"type": "string"}}, description)


def _or_null(schema: Schema) -> Schema:
    """In requests null is how some clients write a field that they do not set."""
    nullable = schema | {"type": [schema["type"], "null"]}
    return nullable | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})


def _object(properties: Schema, optional: Iterable[str] = (), **more: Any) -> Schema:
    """An object whose properties are all there, but for the optional ones."""
    left_out = set(optional)
    required = [name for name in properties if name not in left_out]
    schema: Schema = {"type": "object", "properties": properties}
    return schema | ({"required": required} if required else {}) | more


def _input(properties: Schema, required: Iterable[str] = ()) -> Schema:
    """What a request may hold. Further fields are not excluded: answers' own are ignored."""
    return _object(properties, properties.keys() - set(required))


def page_of(collection: str, entry: str) -> Schema:
    """One page of a list."""
    return _object({collection: _list(ref(entry)), "nextPageToken": ref("PageToken")})


_NAME = "The resource name."
_DISPLAY_NAME = text("Printable characters.", maxLength=fields.LONGEST_DISPLAY_NAME)

_LABELS = _texts("Texts by key; the device's display name is the label `name`.") | {
    "maxProperties": MAXIMUM_LABELS,
    "propertyNames": {"minLength": 1, "maxLength": LONGEST_LABEL_KEY},
    "additionalProperties": {"type": "string", "maxLength": LONGEST_LABEL_VALUE},
    "examples": [{"name": "Freezer", "room": "2.04"}],
}

# --- connectors ------------------------------------------------------------------------------

_EVENTS = _list(ref("EventType"), "Types of events to push; empty for every type.")
_LABEL_KEYS = _list(
    {"type": "string", "minLength": 1, "maxLength": LONGEST_LABEL_KEY},
    f"Keys of device labels to include; empty for none. When left out, `{DEFAULT_LABELS[0]}`.",
    maxItems=MAXIMUM_LABELS,
)
_URL = text("The HTTPS address to push to.", format="uri", maxLength=LONGEST_URL)
_SECRET = text("Signs each push (header `X-Dt-Signature`); empty for no signature.")
_HEADERS = _texts(
    "Sent with each push. With the secret, sealed, at most "
    f"{MAXIMUM_PLAINTEXT} bytes. `{{}}` for none."
)
_HTTP = {"url": _URL, "signatureSecret": _SECRET, "headers": _HEADERS}

_HTTP_EXAMPLE = {
    "url": "https://127.0.0.1:8443/hook/first",
    "signatureSecret": "a-secret-of-at-least-32-characters",
    "headers": {"X-Tenant": "first"},
}
_SETTINGS_EXAMPLE = {
    "displayName": "First",
    "type": TYPE,
    "status": Status.ACTIVE.value,
    "events": ["temperature", "touch"],
    "labels": list(DEFAULT_LABELS),
    "httpConfig": _HTTP_EXAMPLE,
}
_STATUSES = [status.value for status in Status]
_USER_STATUSES = [Status.ACTIVE.value, Status.USER_DISABLED.value]


def _connector_input(
    http_required: Iterable[str], required: Iterable[str], statuses: Iterable[str]
) -> Schema:
    http = {name: _or_null(schema) for name, schema in _HTTP.items()}
    if "url" in http_required:
        http["url"] = _URL
    http_config = _input(http, http_required)
    properties = {
        "displayName": _or_null(text("Printable characters.", maxLength=LONGEST_DISPLAY_NAME)),
        "type": _or_null(_choice([TYPE], "The one type that is served.")),
        "status": _or_null(_choice(statuses, "Disabled, it drops what waits in its queue.")),
        "events": _or_null(_EVENTS),
        "labels": _or_null(_LABEL_KEYS),
        "httpConfig": http_config if http_required else _or_null(http_config),
    }
    return _input(properties, required)


_CONNECTORS = {
    "DataConnector": _object(
        {
            "name": text(_NAME, examples=[f"projects/{PROJECT}/dataconnectors/{CONNECTOR}"]),
            "displayName": {"type": "string"},
            "type": _choice([TYPE]),
            "status": _choice(_STATUSES, "`SYSTEM_DISABLED` is set by the service alone."),
            "events": _EVENTS,
            "labels": _LABEL_KEYS,
            "httpConfig": _object(_HTTP),
        },
        examples=[{"name": f"projects/{PROJECT}/dataconnectors/{CONNECTOR}"} | _SETTINGS_EXAMPLE],
    ),
    "NewDataConnector": _connector_input(("url",), ("httpConfig",), _USER_STATUSES)
    | {"examples": [_SETTINGS_EXAMPLE, {"httpConfig": {"url": _HTTP_EXAMPLE["url"]}}]},
    "DataConnectorChange": _connector_input((), (), _STATUSES)
    | {"examples": [{"status": Status.USER_DISABLED.value}, {"httpConfig": {"headers": {}}}]},
    "DataConnectorList": page_of("dataConnectors", "DataConnector")
    | {"description": f"All connectors of the project, at most {MAXIMUM_CONNECTORS}."},
    "DataConnectorMetrics": _object(
        {
            "metrics": _object(
                {
                    "successCount": _count("Attempts that were acknowledged."),
                    "errorCount": _count("Attempts that failed."),
                    "latency99p": text(
                        "Of the fastest 99 % of attempts.",
                        pattern=r"^[0-9]+(\.[0-9]+)?s$",
                        examples=["0.411s"],
                    ),
                }
            )
        }
    ),
    "ExpiredEvent": _object(
        {
            "eventId": text(),
            "eventType": text('"" where it is not known.'),
            "targetName": text('The device; "" where it is not known.'),
            "attempts": _count("At least as many were made."),
            "lastError": _object(
                {
                    "kind": text(examples=["status"]),
                    "message": text(),
                    "status": _count("The endpoint's answer."),
                },
                ("kind", "message", "status"),
                description="What the last attempt failed with.",
            ),
            "acceptedTime": _time("When it was accepted."),
            "expiredTime": _time("When it was given up."),
        }
    ),
    "ExpiredEventList": page_of("expiredEvents", "ExpiredEvent"),
}

# --- events ----------------------------------------------------------------------------------

_TIME_OF_DATA = _time("When it was measured; the event's timestamp when left out.")
_STRENGTH = _number("Percent.")
_CONNECTION = _choice(("ETHERNET", "CELLULAR", "SDS", "OFFLINE"))
_BACKFILLED = _flag("Whether it was measured while the device was offline.")


def _samples(values: Schema) -> Schema:
    return _list(_object(values | {"sampleTime": _time("")}))


_TEMPERATURE = _number("Degrees Celsius.")
_HUMIDITY = {"temperature": _TEMPERATURE, "relativeHumidity": _number("Percent.")}
_PRESENCE = {"state": _choice(("PRESENT", "NOT_PRESENT"))}
_RADIO = {"signalStrength": _STRENGTH, "rssi": _number("dBm.")}
_LABELS_BY_KEY = _texts("Texts by key.")

DATA: Mapping[str, Schema] = {
    "touch": {},
    "temperature": {
        "value": _TEMPERATURE,
        "samples": _samples({"value": _TEMPERATURE}),
        "isBackfilled": _BACKFILLED,
    },
    "humidity": _HUMIDITY | {"samples": _samples(_HUMIDITY), "isBackfilled": _BACKFILLED},
    "objectPresent": _PRESENCE,
    "objectPresentCount": {"total": _described({"type": "integer"}, "Since the start.")},
    "touchCount": {"total": _described({"type": "integer"}, "Since the start.")},
    "waterPresent": _PRESENCE,
    "motion": {"state": _choice(("MOTION_DETECTED", "NO_MOTION_DETECTED"))},
    "deskOccupancy": {
        "state": _choice(("OCCUPIED", "NOT_OCCUPIED")),
        "remarks": _list({"type": "string"}),
    },
    "contact": {"state": _choice(("OPEN", "CLOSED"))},
    "co2": {"ppm": _number("Parts per million.")},
    "pressure": {"pascal": _number("Pascal.")},
    "probeWireStatus": {
        "state": _choice(
            (
                "INVALID_WIRE_CONFIGURATION",
                "INVALID_COEFFICIENT_CONFIGURATION",
                "TWO_WIRE",
                "THREE_WIRE",
                "FOUR_WIRE",
            )
        )
    },
    "networkStatus": _RADIO
    | {
        "transmissionMode": _choice(("LOW_POWER_STANDARD_MODE", "HIGH_POWER_BOOST_MODE")),
        "cloudConnectors": _list(_object({"id": text()} | _RADIO)),
    },
    "batteryStatus": {"percentage": _number("Percent.")},
    "connectionStatus": {"connection": _CONNECTION, "available": _list(_CONNECTION)},
    "ethernetStatus": {"macAddress": text(), "ipAddress": text()},
    "cellularStatus": {"signalStrength": _STRENGTH},
    "labelsChanged": {
        "added": _LABELS_BY_KEY,
        "modified": _LABELS_BY_KEY,
        "removed": _list({"type": "string"}, "Keys."),
    },
}
"""The fields of each type's data, besides `updateTime`."""

FILLED_IN: Mapping[str, tuple[str, ...]] = {
    "temperature": ("samples", "isBackfilled"),
    "humidity": ("samples", "isBackfilled"),
    "networkStatus": ("rssi", "transmissionMode", "cloudConnectors"),
    "deskOccupancy": ("remarks",),
}
"""What publishers may leave out, besides `updateTime`."""

REPORTED = tuple(event_type for event_type in EVENT_TYPES if event_type != "labelsChanged")
"""Types whose data is under the type's name."""


def _capital(event_type: str) -> str:
    return event_type[0].upper() + event_type[1:]


def _data_of(event_type: str, *, published: bool) -> Schema:
    optional = ("updateTime", *FILLED_IN.get(event_type, ())) if published else ()
    return _object(dict(DATA[event_type]) | {"updateTime": _TIME_OF_DATA}, optional)


def _keyed(*, published: bool, only_one: bool) -> Schema:
    prefix = "Published" if published else ""
    named = {each: ref(f"{prefix}{_capital(each)}Data") for each in REPORTED}
    bounds = {"minProperties": 1, "maxProperties": 1} if only_one else {}
    return _object(named, named, additionalProperties=False, **bounds)


def _event(*, published: bool) -> Schema:
    return _object(
        {
            "eventId": text("Unique; sent again, the event is the same.", pattern=ID_PATTERN),
            "targetName": text("The device.", examples=[f"projects/{PROJECT}/devices/{DEVICE}"]),
            "eventType": _choice(REPORTED) if published else ref("EventType"),
            "data": ref("PublishedEventData")
            if published
            else {
                "anyOf": [ref("EventData"), ref("LabelsChangedData")],
                "description": "Under the type's name; of labelsChanged without it.",
            },
            "timestamp": _time("At most 5 minutes ahead, and 31 days old."),
        },
        additionalProperties=False,
        examples=[
            {
                "eventId": "cq1k2v3s0f4g5h6i7j8p",
                "targetName": f"projects/{PROJECT}/devices/{DEVICE}",
                "eventType": "temperature",
                "data": {"temperature": {"value": 21.5} | ({} if published else _FILLED)},
                "timestamp": TIME,
            }
        ],
    )


_FILLED = {
    "samples": [{"value": 21.5, "sampleTime": TIME}],
    "isBackfilled": False,
    "updateTime": TIME,
}

_EVENT_SCHEMAS = {
    "EventType": _choice(EVENT_TYPES),
    **{f"{_capital(each)}Data": _data_of(each, published=False) for each in REPORTED},
    **{f"Published{_capital(each)}Data": _data_of(each, published=True) for each in REPORTED},
    "LabelsChangedData": _object(dict(DATA["labelsChanged"])),
    "EventData": _keyed(published=False, only_one=True),
    "PublishedEventData": _keyed(published=True, only_one=True)
    | {"examples": [{"temperature": {"value": 21.5}}, {"touch": {}}]},
    "Event": _event(published=False),
    "PublishedEvent": _event(published=True),
    "EventList": page_of("events", "Event"),
    "PublishedEvents": _object(
        {"events": _list(ref("PublishedEvent"), minItems=1, maxItems=MAXIMUM_EVENTS)},
        examples=[{"events": _event(published=True)["examples"]}],
    ),
    "Acceptance": _object(
        {
            "accepted": _count("Events that history and every queue confirmed."),
            "errors": _list(
                _object({"index": _count("In the order they were sent."), "error": text()}),
                "One for each event that was not.",
            ),
        },
        examples=[{"accepted": 1, "errors": []}],
    ),
}

# --- devices ---------------------------------------------------------------------------------

_DEVICE_NAMES = _list({"type": "string"}, "Names of devices.", minItems=1)

_DEVICES = {
    "DeviceType": _choice(DEVICE_TYPES),
    "Device": _object(
        {
            "name": text(_NAME, examples=[f"projects/{PROJECT}/devices/{DEVICE}"]),
            "type": text('"" while events have not told it.', enum=["", *DEVICE_TYPES]),
            "productNumber": text('"" of emulated devices.'),
            "labels": _LABELS,
            "reported": ref("Reported"),
        },
        ("reported",),
    ),
    "Reported": _keyed(published=False, only_one=False)
    | {"description": "The last data of each type; left out before the first event."},
    "DeviceList": page_of("devices", "Device"),
    "NewDevice": _object(
        {"type": ref("DeviceType"), "labels": _or_null(_LABELS)},
        ("labels",),
        examples=[{"type": "temperature", "labels": {"name": "Freezer"}}],
    ),
    "DeviceReplacement": _object({"labels": _LABELS}, examples=[{"labels": {"name": "Freezer"}}]),
    "LabelValue": _object(
        {"value": text(maxLength=LONGEST_LABEL_VALUE)}, examples=[{"value": "Freezer"}]
    ),
    "Label": _object({"name": text(_NAME), "value": {"type": "string"}}),
    "LabelBatch": _object(
        {
            "devices": _DEVICE_NAMES | {"maxItems": labels.MAXIMUM_DEVICES},
            "addLabels": _or_null(_LABELS),
            "removeLabels": _or_null(_list({"type": "string"}, "Keys.")),
        },
        ("addLabels", "removeLabels"),
        description="At least one label, in either.",
        examples=[
            {"devices": [f"projects/{PROJECT}/devices/{DEVICE}"], "addLabels": {"room": "2.04"}}
        ],
    ),
    "DeviceError": _object(
        {
            "device": text("The name as it was given."),
            "status": _object(
                {
                    "code": _choice(("INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL_ERROR")),
                    "message": {"type": "string"},
                }
            ),
        }
    ),
    "LabelBatchResult": _object(
        {"batchErrors": _list(ref("DeviceError"), "One for each device that kept its labels.")}
    ),
    "Transfer": _object(
        {"devices": _DEVICE_NAMES | {"maxItems": MOST_TRANSFERRED}},
        examples=[{"devices": [f"projects/another/devices/{DEVICE}"]}],
    ),
    "TransferResult": _object(
        {
            "transferredDevices": _list({"type": "string"}, "Names as they were given."),
            "transferErrors": _list(ref("DeviceError")),
        }
    ),
}

# --- who may do what -------------------------------------------------------------------------

_ACCOUNT_NAME = f"projects/{PROJECT}/serviceaccounts/{ACCOUNT}"
_EMAIL = f"{ACCOUNT}@{PROJECT}.{accounts.EMAIL_DOMAIN}"


def _new_member(roles: Iterable[str]) -> Schema:
    allowed = list(roles)
    return _input(
        {
            "email": text("Of a service account.", maxLength=members.LONGEST_EMAIL),
            "roles": _list(_choice(allowed), minItems=1),
        },
        ("email", "roles"),
    ) | {"examples": [{"email": _EMAIL, "roles": [allowed[0]]}]}


_IDENTITY = {
    "Project": _object(
        {
            "name": text(_NAME, examples=[f"projects/{PROJECT}"]),
            "displayName": {"type": "string"},
            "organization": text(examples=[ORGANIZATION]),
            "organizationDisplayName": {"type": "string"},
            "sensorCount": _count("Devices that are no cloud connectors."),
            "cloudConnectorCount": _count(""),
            "inventory": _flag("Always false."),
        }
    ),
    "ProjectList": page_of("projects", "Project"),
    "NewProject": _input(
        {
            "displayName": _DISPLAY_NAME | {"minLength": 1},
            "organization": text(f"{ORGANIZATION} when left out."),
        },
        ("displayName",),
    )
    | {"examples": [{"displayName": "Second", "organization": ORGANIZATION}]},
    "ProjectChange": _input(
        {"displayName": _DISPLAY_NAME | {"minLength": 1}},
    )
    | {"examples": [{"displayName": "Renamed"}]},
    "Organization": _object(
        {"name": text(_NAME, examples=[ORGANIZATION]), "displayName": {"type": "string"}}
    ),
    "OrganizationList": page_of("organizations", "Organization"),
    "Permission": _choice(sorted(permissions(ROLES))),
    "PermissionList": page_of("permissions", "Permission"),
    "Role": _object(
        {
            "name": _choice(ROLES, _NAME),
            "displayName": {"type": "string"},
            "description": {"type": "string"},
            "permissions": _list(ref("Permission")),
        }
    ),
    "RoleList": page_of("roles", "Role"),
    "Member": _object(
        {
            "name": text(_NAME, examples=[f"projects/{PROJECT}/members/{ACCOUNT}"]),
            "displayName": text("The service account's, in its own project."),
            "roles": _list(_choice((*PROJECT_ROLES, *ORGANIZATION_ROLES))),
            "status": _choice(("ACCEPTED", "PENDING")),
            "email": text(examples=[_EMAIL]),
            "accountType": _choice(("SERVICE_ACCOUNT", "USER")),
            "createTime": _time(""),
        }
    ),
    "MemberList": page_of("members", "Member")
    | {"description": f"All members, at most {members.MAXIMUM_MEMBERS}."},
    "NewMember": _new_member(PROJECT_ROLES),
    "NewOrganizationMember": _new_member(ORGANIZATION_ROLES),
    "MemberChange": _input(
        {"roles": _list(_choice(PROJECT_ROLES), "Replace the present ones.", minItems=1)},
    )
    | {"examples": [{"roles": [PROJECT_ROLES[1]]}]},
    "Invitation": _object({"inviteUrl": text(format="uri")}),
    "ServiceAccount": _object(
        {
            "name": text(_NAME, examples=[_ACCOUNT_NAME]),
            "email": text("What it is known by.", examples=[_EMAIL]),
            "displayName": {"type": "string"},
            "enableBasicAuth": _flag("Whether its keys work as user and password."),
            "createTime": _time(""),
            "updateTime": _time(""),
        }
    ),
    "ServiceAccountList": page_of("serviceAccounts", "ServiceAccount")
    | {"description": f"All of the project, at most {accounts.MAXIMUM_ACCOUNTS}."},
    "ServiceAccountSettings": _input(
        {
            "displayName": _or_null(_DISPLAY_NAME),
            "enableBasicAuth": _or_null(_flag("Whether its keys work as user and password.")),
        },
    )
    | {"examples": [{"displayName": "Gateway", "enableBasicAuth": True}]},
    "Key": _object(
        {
            "name": text(_NAME, examples=[f"{_ACCOUNT_NAME}/keys/{KEY}"]),
            "id": text(examples=[KEY]),
            "createTime": _time(""),
        }
    ),
    "KeyList": page_of("keys", "Key")
    | {"description": f"All of the account, at most {accounts.MAXIMUM_KEYS}."},
    "NewKey": _object({"key": ref("Key"), "secret": text("Shown this once.")}),
    "AuditEntry": _object(
        {
            "id": {"type": "string"},
            "time": _time(""),
            "actor": text("The email of who did it.", examples=[_EMAIL]),
            "keyId": text("By which key."),
            "address": text("From where."),
            "action": text("The permission that it took.", examples=["dataconnector.update"]),
            "resource": text("What it was done to."),
            "fields": _list({"type": "string"}, "Names of what changed; never values."),
            "details": {"type": "object", "description": "Values that are no secrets."},
        }
    ),
    "AuditPage": page_of("entries", "AuditEntry"),
    "AccessToken": _object(
        {
            "access_token": {"type": "string"},
            "expires_in": _count("Seconds."),
            "token_type": {"type": "string", "const": "Bearer"},
        }
    ),
}

# --- every answer ----------------------------------------------------------------------------

_ERROR = {
    "error": text("What happened, to which thing, and what to do next."),
    "code": _described({"type": "integer"}, "The status."),
    "help": text("Where the status is explained."),
}

_EVERYWHERE = {
    "Empty": {"type": "object", "maxProperties": 0},
    "PageToken": text("`pageToken` of the next page; empty on the last."),
    "Error": _object(_ERROR),
    "NotAccepted": _object(
        _ERROR
        | {
            "accepted": _count("Events that were accepted all the same."),
            "errors": _list(_object({"index": _count(""), "error": text()})),
        },
        ("accepted", "errors"),
    ),
}

SCHEMAS: dict[str, Schema] = _CONNECTORS | _EVENT_SCHEMAS | _DEVICES | _IDENTITY | _EVERYWHERE
"""All schemas of the document, by name."""
