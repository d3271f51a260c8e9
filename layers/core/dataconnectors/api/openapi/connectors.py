"""Data connectors in the OpenAPI document."""

from collections.abc import Iterable

from dataconnectors.api.openapi.examples import CONNECTOR, PROJECT
from dataconnectors.api.openapi.operation import PAGE, Operation
from dataconnectors.api.openapi.schema import (
    NAME,
    Schema,
    choice,
    count,
    flag,
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
from dataconnectors.connectors.configuration import CONNECTOR_TYPE, DEFAULT_LABELS
from dataconnectors.connectors.connector import MAXIMUM_CONNECTORS, Status
from dataconnectors.connectors.failing import OUTAGE_FAILURES, WINDOW_SECONDS
from dataconnectors.connectors.health import State
from dataconnectors.connectors.idempotency import REMEMBERED_SECONDS
from dataconnectors.connectors.secret_rotation import DEFAULT_SECONDS, KEEP, LONGEST_SECONDS, TTL
from dataconnectors.connectors.secrets import MASK
from dataconnectors.devices.labels import LONGEST_LABEL_KEY, MAXIMUM_LABELS
from dataconnectors.endpoints.addresses import LONGEST_URL
from dataconnectors.kernel.fields import LONGEST_DISPLAY_NAME

_CONNECTORS = "/projects/{project}/dataconnectors"
_CONNECTOR = _CONNECTORS + "/{connector}"

_MASKED = (
    f"The signature secret and the values of the headers and of the URL's query are `{MASK}` for "
    "callers without the permission `dataconnector.update`. A previous secret is shown to nobody."
)

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
        description=_MASKED,
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
            f"If the same key sends an equal call within {REMEMBERED_SECONDS} seconds, the call "
            "counts as a repetition: it is answered with the connector of the first call."
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
        description=_MASKED,
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
            "Fields that are not in the body stay as they are; `httpConfig` is merged key by key. "
            "When a call that disables the connector has been answered, no further push begins. "
            "Events that were not acknowledged by then are never pushed, not even after the "
            "connector is enabled again. A call that replaces `signatureSecret` ends the secret "
            f"before it at once, unless it has `{KEEP}` or `{TTL}`. A mask with "
            "`httpConfig.signatureSecret` includes these two. A mask with `httpConfig` resets "
            "`standardWebhooks` only if the body has it."
        ),
    ),
    Operation(
        "deleteDataConnector",
        "DELETE",
        _CONNECTOR,
        "Data connectors",
        "Delete a connector and the events in its queue",
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
        "getDataConnectorHealth",
        "GET",
        _CONNECTOR + ":health",
        "Data connectors",
        "Show how a connector is doing",
        "DataConnectorHealth",
        "dataconnector.read",
    ),
    Operation(
        "listDataConnectorHealth",
        "GET",
        _CONNECTORS + ":health",
        "Data connectors",
        "Show how all connectors of a project are doing",
        "DataConnectorHealthList",
        "dataconnector.read",
        query=PAGE,
        description="Without the time of the last success, which each connector alone shows.",
    ),
    Operation(
        "pauseDataConnector",
        "POST",
        _CONNECTOR + ":pause",
        "Data connectors",
        "Hold the events of a connector",
        "DataConnector",
        "dataconnector.update",
        conflicts=True,
        description=(
            "When the call has been answered, no further push begins until the connector is "
            "resumed. Events are held as long as events live, which is 12 hours after each was "
            "accepted. Disabling a connector drops its events instead."
        ),
    ),
    Operation(
        "resumeDataConnector",
        "POST",
        _CONNECTOR + ":resume",
        "Data connectors",
        "Push the events that a pause has held",
        "DataConnector",
        "dataconnector.update",
        conflicts=True,
        description="They are pushed within minutes, and not all at once.",
    ),
    Operation(
        "syncDataConnector",
        "POST",
        _CONNECTOR + ":sync",
        "Data connectors",
        "Push the last event of each type of all devices again",
        "Empty",
        "dataconnector.update",
        description="Pushes to this connector only, and only the types of events that it wants.",
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

_EVENTS = list_of(
    ref("EventType"), "The types of events to push. An empty list stands for all types."
)
_LABEL_KEYS = list_of(
    {"type": "string", "minLength": 1, "maxLength": LONGEST_LABEL_KEY},
    "The keys of the device labels that each push includes. An empty list stands for none. The "
    f"default is `{DEFAULT_LABELS[0]}`.",
    maxItems=MAXIMUM_LABELS,
)
_URL = text("The HTTPS URL to push to.", format="uri", maxLength=LONGEST_URL)
_SECRET = text("The secret that signs each push (header `X-Dt-Signature`). Empty for no signature.")
_HEADERS = texts(
    "Headers that are sent with each push; `{}` for none. Headers and secret are encrypted "
    f"together and may have at most {MAXIMUM_PLAINTEXT} bytes."
)
_STANDARD_WEBHOOKS = flag(
    "Whether each push also has the headers of Standard Webhooks: `Webhook-Id` (the event's id), "
    "`Webhook-Timestamp` and `Webhook-Signature`. Needs a secret: with `whsec_` in front it is "
    "base64 of the key, otherwise the key is its UTF-8 bytes. The default is false."
)
_HTTP = {
    "url": _URL,
    "signatureSecret": _SECRET,
    "headers": _HEADERS,
    "standardWebhooks": _STANDARD_WEBHOOKS,
}
_ROTATION = {
    KEEP: flag(
        "Whether the secret that this call replaces goes on signing (header "
        f"`X-Dt-Signature-Previous`), for {DEFAULT_SECONDS // 3600} hours. In a call without "
        "`signatureSecret`: whether the previous secret still does."
    ),
    TTL: text(
        f"As `{KEEP}`, for this time: seconds, at most {LONGEST_SECONDS}; `0s` ends it at once. A "
        "second rotation that asks for this is refused while the secret of the first one signs.",
        pattern=r"^[0-9]{1,6}s$",
        examples=[f"{DEFAULT_SECONDS}s"],
    ),
}
_EXPIRE_TIME = {
    "previousSecretExpireTime": time("Until when the previous secret signs. Absent without one.")
}

_HTTP_EXAMPLE = {
    "url": "https://127.0.0.1:8443/hook/first",
    "signatureSecret": "a-secret-of-at-least-32-characters",
    "headers": {"X-Tenant": "first"},
    "standardWebhooks": False,
}
_SETTINGS_EXAMPLE = {
    "displayName": "First",
    "type": CONNECTOR_TYPE,
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
    http = {name: or_null(schema) for name, schema in (_HTTP | _ROTATION).items()}
    if "url" in http_required:
        http["url"] = _URL
    http_config = input_of(http, http_required)
    properties = {
        "displayName": or_null(text("Printable characters.", maxLength=LONGEST_DISPLAY_NAME)),
        "type": or_null(choice([CONNECTOR_TYPE], "The only type there is.")),
        "status": or_null(choice(statuses, "A disabled connector drops the events in its queue.")),
        "events": or_null(_EVENTS),
        "labels": or_null(_LABEL_KEYS),
        "httpConfig": http_config if http_required else or_null(http_config),
    }
    return input_of(properties, required)


_HEALTH: dict[str, Schema] = {
    "name": text("The name of the connector."),
    "state": choice(
        [state.value for state in State],
        f"In an `OUTAGE` ({OUTAGE_FAILURES} failed attempts within {WINDOW_SECONDS:.0f} s and none "
        "that succeeded) one event at a time is attempted, and the first success ends it.",
    ),
    "since": or_null(time("Since when it is in this state; null while it works.")),
    "lastError": or_null(
        object_of(
            {
                "kind": text(examples=["timeout"]),
                "message": text(),
                "status": or_null(count("The status that the endpoint answered.")),
                "time": time("When the attempt failed."),
            },
            description="The last failed attempt; null once an attempt has succeeded.",
        )
    ),
    "nextAttemptTime": or_null(
        time("In an outage: when the next attempt may start. Null otherwise.")
    ),
    "backlog": object_of(
        {
            "waiting": count("Events that are attempted as soon as possible, about."),
            "inFlight": count("Events in an attempt, or waiting for their next one, about."),
            "oldestTime": or_null(
                time("When the oldest of them was accepted, as far as that is known.")
            ),
        }
    ),
}

SCHEMAS = {
    "DataConnector": object_of(
        {
            "name": text(NAME, examples=[f"projects/{PROJECT}/dataconnectors/{CONNECTOR}"]),
            "displayName": {"type": "string"},
            "type": choice([CONNECTOR_TYPE]),
            "status": choice(
                _STATUSES,
                "Only the service sets `SYSTEM_DISABLED`: after days without a success, or when "
                "the endpoint answers 410, if the deployment is so configured. The audit log has "
                "the reason.",
            ),
            "events": _EVENTS,
            "labels": _LABEL_KEYS,
            "httpConfig": object_of(_HTTP | _EXPIRE_TIME, _EXPIRE_TIME),
        },
        examples=[{"name": f"projects/{PROJECT}/dataconnectors/{CONNECTOR}"} | _SETTINGS_EXAMPLE],
    ),
    "NewDataConnector": _connector_input(("url",), ("httpConfig",), _USER_STATUSES)
    | {"examples": [_SETTINGS_EXAMPLE, {"httpConfig": {"url": _HTTP_EXAMPLE["url"]}}]},
    "DataConnectorChange": _connector_input((), (), _STATUSES)
    | {
        "examples": [
            {"status": Status.USER_DISABLED.value},
            {"httpConfig": {"headers": {}}},
            {"httpConfig": {"signatureSecret": "another-secret-of-32-characters", KEEP: True}},
        ]
    },
    "DataConnectorList": page_of("dataConnectors", "DataConnector")
    | {"description": f"A project has at most {MAXIMUM_CONNECTORS} connectors."},
    "DataConnectorMetrics": object_of(
        {
            "metrics": object_of(
                {
                    "successCount": count("Attempts that were acknowledged."),
                    "errorCount": count("Attempts that failed."),
                    "latency99p": text(
                        "The response time that 99 % of the attempts did not exceed.",
                        pattern=r"^[0-9]+(\.[0-9]+)?s$",
                        examples=["0.411s"],
                    ),
                }
            )
        }
    ),
    "DataConnectorHealth": object_of(
        _HEALTH | {"lastSuccessTime": or_null(time("The minute of it; null if it is a day ago."))}
    ),
    "DataConnectorHealthList": object_of(
        {
            "dataConnectorHealth": list_of(object_of(_HEALTH)),
            "nextPageToken": ref("PageToken"),
        }
    ),
    "ExpiredEvent": object_of(
        {
            "eventId": text(),
            "eventType": text('"" if it is not known.'),
            "targetName": text('The name of the device; "" if it is not known.'),
            "attempts": count(
                "How often the event was taken from its queue. It was attempted so often at most: "
                "in an outage, and while its connector is paused, it goes back without an attempt."
            ),
            "lastError": object_of(
                {
                    "kind": text(examples=["status"]),
                    "message": text(),
                    "status": count("The status that the endpoint answered."),
                },
                ("kind", "message", "status"),
                description="The reason why the last attempt failed.",
            ),
            "acceptedTime": time("When the event was accepted."),
            "expiredTime": time("When the event expired."),
        }
    ),
    "ExpiredEventList": page_of("expiredEvents", "ExpiredEvent"),
}
