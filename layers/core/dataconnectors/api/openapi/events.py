"""Events in the OpenAPI document."""

from dataconnectors.api.openapi.event_data import DATA, REPORTED, by_type, data_of, type_name
from dataconnectors.api.openapi.examples import DEVICE, PROJECT, TIME
from dataconnectors.api.openapi.operation import DAY, PAGE, TIMES, Operation
from dataconnectors.api.openapi.schema import (
    ID_PATTERN,
    Schema,
    choice,
    count,
    list_of,
    object_of,
    page_of,
    ref,
    text,
    time,
)
from dataconnectors.events import history_query
from dataconnectors.events.event_types import EVENT_TYPES
from dataconnectors.ingest.acceptance import MAXIMUM_EVENTS

_DEVICE = "/projects/{project}/devices/{device}"

OPERATIONS = (
    Operation(
        "publishEvents",
        "POST",
        "/projects/{project}/events",
        "Events",
        f"Publish up to {MAXIMUM_EVENTS} events",
        "Acceptance",
        "event.publish",
        body="PublishedEvents",
        is_publishing=True,
        description=(
            "Each event is accepted or refused on its own. An accepted event is in the history of "
            "its device and in the queue of every connector that wants it. You may send an event "
            "again: receivers recognize it by its `eventId`."
        ),
    ),
    Operation(
        "publishEmulatedEvent",
        "POST",
        _DEVICE + ":publish",
        "Events",
        "Publish one event of a device",
        "Empty",
        "event.publish",
        body="PublishedEventData",
        is_publishing=True,
    ),
    Operation(
        "listDeviceEvents",
        "GET",
        _DEVICE + "/events",
        "Events",
        "List a device's events, newest first",
        "EventList",
        "device.read",
        query=("eventTypes", *TIMES, *PAGE),
        description=(
            "Without `startTime` the list holds the last "
            f"{history_query.DEFAULT_SPAN_SECONDS // 3600} hours. Events are kept for "
            f"{history_query.RETENTION_SECONDS // DAY} days. A page has at most "
            f"{history_query.LARGEST_PAGE} events."
        ),
    ),
)


def _event(*, published: bool) -> Schema:
    return object_of(
        {
            "eventId": text(
                "A unique id. An event that is sent again keeps its id.",
                pattern=ID_PATTERN,
            ),
            "targetName": text(
                "The name of the device.", examples=[f"projects/{PROJECT}/devices/{DEVICE}"]
            ),
            "eventType": choice(REPORTED) if published else ref("EventType"),
            "data": ref("PublishedEventData")
            if published
            else {
                "anyOf": [ref("EventData"), ref("LabelsChangedData")],
                "description": "An object with the type as its only key, except for labelsChanged.",
            },
            "timestamp": time(
                "When the event happened: at most 5 minutes in the future, and at most 31 days ago."
            ),
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

SCHEMAS = {
    "EventType": choice(EVENT_TYPES),
    **{f"{type_name(each)}Data": data_of(each, published=False) for each in REPORTED},
    **{f"Published{type_name(each)}Data": data_of(each, published=True) for each in REPORTED},
    "LabelsChangedData": object_of(dict(DATA["labelsChanged"])),
    "EventData": by_type(published=False, only_one=True),
    "PublishedEventData": by_type(published=True, only_one=True)
    | {"examples": [{"temperature": {"value": 21.5}}, {"touch": {}}]},
    "Event": _event(published=False),
    "PublishedEvent": _event(published=True),
    "EventList": page_of("events", "Event"),
    "PublishedEvents": object_of(
        {"events": list_of(ref("PublishedEvent"), minItems=1, maxItems=MAXIMUM_EVENTS)},
        examples=[{"events": _event(published=True)["examples"]}],
    ),
    "Acceptance": object_of(
        {
            "accepted": count("The number of events that the history and every queue confirmed."),
            "errors": list_of(
                object_of(
                    {
                        "index": count("The place of the event in the request; the first is 0."),
                        "error": text(),
                    }
                ),
                "One error for each event that was not accepted.",
            ),
        },
        examples=[{"accepted": 1, "errors": []}],
    ),
}
