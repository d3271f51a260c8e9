"""Explained and requested deliveries in the OpenAPI document."""

from dataconnectors.api.openapi.examples import CONNECTOR, DEVICE, EVENT, PROJECT
from dataconnectors.api.openapi.operation import Operation
from dataconnectors.api.openapi.schema import (
    ID_PATTERN,
    choice,
    flag,
    input_of,
    list_of,
    object_of,
    or_null,
    ref,
    text,
    texts,
    time,
)
from dataconnectors.connectors.secrets import MASK
from dataconnectors.devices.sample_event import TEST_LABEL
from dataconnectors.endpoints.delivery_headers import TEST_HEADER
from dataconnectors.events.message import TEST_SECONDS
from dataconnectors.services.deliveries import ASKED_PER_MINUTE
from dataconnectors.services.explanations import VERDICTS

_CONNECTOR = "/projects/{project}/dataconnectors/{connector}"

_FOUND = (
    "History is kept by device and time: name the event's `device` to be sure that it is found. "
    "Without it, last values are searched, and what was reported around the time in the event's id."
)

OPERATIONS = (
    Operation(
        "explainEvent",
        "GET",
        _CONNECTOR + ":explain",
        "Data connectors",
        "Show why an event was pushed, or was not",
        "Explanation",
        "dataconnector.read",
        query=("event", "device", "time"),
        description=(
            "From history, the attempt log of the last 3 days, records of expired events and the "
            "audit log. First attempts that succeed are not all logged, so some verdicts are "
            f"conclusions, with `isCertain` false. {_FOUND}"
        ),
    ),
    Operation(
        "previewDelivery",
        "POST",
        _CONNECTOR + ":preview",
        "Data connectors",
        "Show what would be pushed, without pushing it",
        "DeliveryPreview",
        "dataconnector.read",
        body="PreviewedEvent",
        description=(
            "For an `event` of history, with the labels that its device has now, or a sample of an "
            "`eventType`, as `:test` pushes it. The sender's own code writes body and headers, and "
            "each attempt is signed anew. Secrets, values of the URL's query and signatures are "
            f"`{MASK}` for callers without the permission `dataconnector.update`. {_FOUND}"
        ),
    ),
    Operation(
        "testDataConnector",
        "POST",
        _CONNECTOR + ":test",
        "Data connectors",
        "Push a test event",
        "RequestedDelivery",
        "dataconnector.update",
        body="TestedType",
        description=(
            "A real delivery through the connector's queue, to this connector alone. It has the "
            f"header `{TEST_HEADER}: true` and the label `{TEST_LABEL}` with the value `true`, and "
            "is neither in history nor among the last values. It is attempted once, in an outage "
            f"too, within {TEST_SECONDS / 60:.0f} minutes or not at all. A connector takes "
            f"{ASKED_PER_MINUTE} tests and resent events a minute."
        ),
    ),
    Operation(
        "resendEvent",
        "POST",
        _CONNECTOR + ":resend",
        "Data connectors",
        "Push one event of history once more",
        "RequestedDelivery",
        "dataconnector.update",
        body="ResentEvent",
        description=(
            "To this connector alone, with the event's own id and as it was accepted; labels and "
            "metadata are those of now. It is delivered like any other event, with its own 12 "
            f"hours. {_FOUND}"
        ),
    ),
)

DEVICE_NAME = f"projects/{PROJECT}/devices/{DEVICE}"

_EVENT = text("The id of the event.", pattern=ID_PATTERN, examples=[EVENT])
_REFERENCE = {
    "event": _EVENT,
    "device": or_null(text("The id or the name of its device.", examples=[DEVICE])),
    "time": or_null(time("The timestamp of the event.")),
}
_SAMPLE = ref("EventType")

SCHEMAS = {
    "PreviewedEvent": {
        "anyOf": [
            input_of(_REFERENCE, ("event",)),
            input_of({"eventType": _SAMPLE}, ("eventType",)),
        ],
        "examples": [{"event": EVENT, "device": DEVICE}, {"eventType": "temperature"}],
    },
    "TestedType": input_of({"eventType": _SAMPLE}, ("eventType",))
    | {"examples": [{"eventType": "temperature"}]},
    "ResentEvent": input_of(_REFERENCE, ("event",))
    | {"examples": [{"event": EVENT, "device": DEVICE}]},
    "DeliveryPreview": object_of(
        {
            "method": choice(["POST"]),
            "url": text("The connector's URL."),
            "headers": texts("All headers, in the order in which they are sent."),
            "body": text("The text whose UTF-8 is sent, byte for byte."),
            "notes": list_of(
                {"type": "string"}, "Why the connector would not send it now; empty if it would."
            ),
        }
    ),
    "Explanation": object_of(
        {
            "eventId": text("The event's id."),
            "eventType": text("Its type."),
            "deviceName": text("The device that sent it.", examples=[DEVICE_NAME]),
            "eventTime": or_null(time("Its timestamp; null when it is not in history.")),
            "acceptedTime": or_null(time("When it was accepted; null if that is not recorded.")),
            "verdict": choice(VERDICTS, "What became of it at this connector."),
            "isCertain": flag("Whether the verdict is recorded, and not a conclusion."),
            "explanation": text("Why, in one or two sentences."),
            "facts": list_of(
                object_of({"time": time("When."), "text": text("What happened.")}),
                "What is known, in the order of time.",
            ),
            "attempts": list_of(ref("Attempt"), "Its attempts in the log, the newest first."),
        }
    ),
    "RequestedDelivery": object_of(
        {
            "eventId": text("The id of the event that is in the connector's queue now."),
            "attemptsUrl": text(
                "Where its attempts are listed once they were made; empty if the stack logs none "
                "(`AttemptLog=off`).",
                examples=[
                    f"/v2/projects/{PROJECT}/dataconnectors/{CONNECTOR}/attempts?eventId={EVENT}"
                ],
            ),
        }
    ),
}
