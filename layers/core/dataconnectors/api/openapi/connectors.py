"""Data connectors in the OpenAPI document."""

from collections.abc import Iterable

from dataconnectors.api.openapi.examples import CONNECTOR, PROJECT
from dataconnectors.api.openapi.operation import PAGE, Operation
from dataconnectors.api.openapi.schema import (
    NAME,
    Schema,
    choice,
    count,
    input_of,
    list_of,
    object_of,
    or_null,
    page_of,
    ref,
    text,
    texts,
    time,
)
from dataconnectors.aws.vault import MAXIMUM_PLAINTEXT
from dataconnectors.connectors.configuration import DEFAULT_LABELS, LONGEST_DISPLAY_NAME, TYPE
from dataconnectors.connectors.connector import MAXIMUM_CONNECTORS, Status
from dataconnectors.connectors.idempotency import REMEMBERED_SECONDS
from dataconnectors.devices.device import LONGEST_LABEL_KEY, MAXIMUM_LABELS
from dataconnectors.endpoints.addresses import LONGEST_URL

_CONNECTORS = "/projects/{project}/dataconnectors"
_CONNECTOR = _CONNECTORS + "/{connector}"

OPERATIONS = (
    Operation(
        "listDataConnectors",
        "GET",
        _CONNECTORS,
        "Data connectors",
        "List connectors",
        "DataConnectorList",
        "dataconnector.read",
        query=PAGE,
    ),
    Operation(
        "createDataConnector",
        "POST",
        _CONNECTORS,
        "Data connectors",
        "Create a connector",
        "DataConnector",
        "dataconnector.create",
        headers=("Idempotency-Key",),
        body="NewDataConnector",
        conflicts=True,
        description=(
            f"An equal call by the same key within {REMEMBERED_SECONDS} seconds shows the same "
            "connector: it is taken for one that was sent again."
        ),
    ),
    Operation(
        "getDataConnector",
        "GET",
        _CONNECTOR,
        "Data connectors",
        "Show a connector",
        "DataConnector",
        "dataconnector.read",
    ),
    Operation(
        "updateDataConnector",
        "PATCH",
        _CONNECTOR,
        "Data connectors",
        "Change, disable or enable a connector",
        "DataConnector",
        "dataconnector.update",
        query=("update_mask",),
        body="DataConnectorChange",
        conflicts=True,
        description=(
            "Fields that the body lacks stay as they are; `httpConfig` is merged key by key. Once "
            "a disabling call has answered, no push begins; what was undelivered is never sent."
        ),
    ),
    Operation(
        "deleteDataConnector",
        "DELETE",
        _CONNECTOR,
        "Data connectors",
        "Delete a connector with what waits in its queue",
        "Empty",
        "dataconnector.delete",
        conflicts=True,
    ),
    Operation(
        "getDataConnectorMetrics",
        "GET",
        _CONNECTOR + ":metrics",
        "Data connectors",
        "Count the attempts of the last 3 hours",
        "DataConnectorMetrics",
        "dataconnector.read",
    ),
    Operation(
        "syncDataConnector",
        "POST",
        _CONNECTOR + ":sync",
        "Data connectors",
        "Push the last event of each type of each device again",
        "Empty",
        "dataconnector.update",
        description="To this connector alone, and only event types that it pushes.",
    ),
    Operation(
        "listExpiredEvents",
        "GET",
        _CONNECTOR + "/expired",
        "Data connectors",
        "List the events that were not acknowledged within 12 hours",
        "ExpiredEventList",
        "dataconnector.expired.read",
        query=PAGE,
    ),
)

_EVENTS = list_of(ref("EventType"), "Types of events to push; empty for every type.")
_LABEL_KEYS = list_of(
    {"type": "string", "minLength": 1, "maxLength": LONGEST_LABEL_KEY},
    f"Keys of device labels to include; empty for none. When left out, `{DEFAULT_LABELS[0]}`.",
    maxItems=MAXIMUM_LABELS,
)
_URL = text("The HTTPS address to push to.", format="uri", maxLength=LONGEST_URL)
_SECRET = text("Signs each push (header `X-Dt-Signature`); empty for no signature.")
_HEADERS = texts(
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
    http = {name: or_null(schema) for name, schema in _HTTP.items()}
    if "url" in http_required:
        http["url"] = _URL
    http_config = input_of(http, http_required)
    properties = {
        "displayName": or_null(text("Printable characters.", maxLength=LONGEST_DISPLAY_NAME)),
        "type": or_null(choice([TYPE], "The one type that is served.")),
        "status": or_null(choice(statuses, "Disabled, it drops what waits in its queue.")),
        "events": or_null(_EVENTS),
        "labels": or_null(_LABEL_KEYS),
        "httpConfig": http_config if http_required else or_null(http_config),
    }
    return input_of(properties, required)


SCHEMAS = {
    "DataConnector": object_of(
        {
            "name": text(NAME, examples=[f"projects/{PROJECT}/dataconnectors/{CONNECTOR}"]),
            "displayName": {"type": "string"},
            "type": choice([TYPE]),
            "status": choice(_STATUSES, "`SYSTEM_DISABLED` is set by the service alone."),
            "events": _EVENTS,
            "labels": _LABEL_KEYS,
            "httpConfig": object_of(_HTTP),
        },
        examples=[{"name": f"projects/{PROJECT}/dataconnectors/{CONNECTOR}"} | _SETTINGS_EXAMPLE],
    ),
    "NewDataConnector": _connector_input(("url",), ("httpConfig",), _USER_STATUSES)
    | {"examples": [_SETTINGS_EXAMPLE, {"httpConfig": {"url": _HTTP_EXAMPLE["url"]}}]},
    "DataConnectorChange": _connector_input((), (), _STATUSES)
    | {"examples": [{"status": Status.USER_DISABLED.value}, {"httpConfig": {"headers": {}}}]},
    "DataConnectorList": page_of("dataConnectors", "DataConnector")
    | {"description": f"A project has at most {MAXIMUM_CONNECTORS} connectors."},
    "DataConnectorMetrics": object_of(
        {
            "metrics": object_of(
                {
                    "successCount": count("Attempts that were acknowledged."),
                    "errorCount": count("Attempts that failed."),
                    "latency99p": text(
                        "Of the fastest 99 % of attempts.",
                        pattern=r"^[0-9]+(\.[0-9]+)?s$",
                        examples=["0.411s"],
                    ),
                }
            )
        }
    ),
    "ExpiredEvent": object_of(
        {
            "eventId": text(),
            "eventType": text('"" where it is not known.'),
            "targetName": text('The device; "" where it is not known.'),
            "attempts": count("At least as many were made."),
            "lastError": object_of(
                {
                    "kind": text(examples=["status"]),
                    "message": text(),
                    "status": count("The endpoint's answer."),
                },
                ("kind", "message", "status"),
                description="What the last attempt failed with.",
            ),
            "acceptedTime": time("When it was accepted."),
            "expiredTime": time("When it was given up."),
        }
    ),
    "ExpiredEventList": page_of("expiredEvents", "ExpiredEvent"),
}
