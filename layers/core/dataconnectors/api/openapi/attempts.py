"""Attempts and timelines in the OpenAPI document."""

from dataconnectors.api.openapi.examples import ATTEMPT, CONNECTOR, DEVICE, EVENT, PROJECT, TIME
from dataconnectors.api.openapi.operation import PAGE, TIMES, Operation
from dataconnectors.api.openapi.schema import (
    NAME,
    Schema,
    choice,
    count,
    flag,
    list_of,
    number,
    object_of,
    or_null,
    ref,
    text,
    time,
)
from dataconnectors.connectors.secrets import MASK
from dataconnectors.endpoints.outcomes import FailureKind
from dataconnectors.endpoints.shown_exchange import SHOWN_BODY_BYTES
from dataconnectors.services.timelines import LARGEST_PAGE, STEP_SECONDS

_CONNECTORS = "/projects/{project}/dataconnectors"
_CONNECTOR = _CONNECTORS + "/{connector}"

OPERATIONS = (
    Operation(
        "listAttempts",
        "GET",
        _CONNECTOR + "/attempts",
        "Attempts",
        "List the attempts of the last 3 days, the newest first",
        "AttemptList",
        "dataconnector.read",
        query=("outcome", "eventId", "deviceName", *TIMES, *PAGE),
        description=(
            "`log` says which attempts are there. Of a connector that was made or changed within "
            "the last ten minutes, and of events that have failed before, successes are there too. "
            "With a filter a page may have fewer attempts than asked for, or none, and a "
            "`nextPageToken`. `eventId` is the quickest filter."
        ),
    ),
    Operation(
        "getAttempt",
        "GET",
        _CONNECTOR + "/attempts/{attempt}",
        "Attempts",
        "Show an attempt with its request and its answer",
        "AttemptWithExchange",
        "dataconnector.read",
        description=(
            f"Signatures, the connector's own headers and values in the query of its URL are "
            f"`{MASK}`, and so is what an answer repeats of them. For callers without "
            "`dataconnector.update`, so are the headers and the body of the answer."
        ),
    ),
    Operation(
        "getTimeline",
        "GET",
        _CONNECTOR + ":timeline",
        "Attempts",
        "Show the attempts of the last 3 hours in steps, with latencies",
        "Timeline",
        "dataconnector.read",
    ),
    Operation(
        "listTimelines",
        "GET",
        _CONNECTORS + ":timeline",
        "Attempts",
        "Show the attempts of the last 3 hours of all connectors of a project in steps",
        "TimelineList",
        "dataconnector.read",
        query=PAGE,
        description=f"A page has {LARGEST_PAGE} connectors at most.",
    ),
)


def _milliseconds(description: str) -> Schema:
    return or_null(number(description))


_DURATIONS = object_of(
    {
        "queue": _milliseconds("From when the event was accepted to the attempt's start."),
        "dns": _milliseconds("Resolving the name."),
        "connect": _milliseconds("Connecting by TCP."),
        "tls": _milliseconds("The TLS handshake."),
        "firstByte": _milliseconds("Sending the request, and waiting for the answer to begin."),
        "rest": _milliseconds("The rest of the answer."),
        "total": _milliseconds("All of it, without `queue`."),
    },
    description=(
        "In milliseconds. Null for what did not happen: an attempt over a connection that was kept "
        "has neither `dns` nor `connect` nor `tls`. When an attempt fails, the last one that is "
        "not null is what it failed in."
    ),
)

_ATTEMPT: dict[str, Schema] = {
    "name": text(NAME),
    "attemptTime": time("When the attempt began."),
    "eventId": text(),
    "eventType": text('"" if it is not known.'),
    "deviceName": text('The name of the device; "" if it is not known.'),
    "attempt": count("The number of the attempt; receives without an attempt count too."),
    "outcome": choice(["SUCCEEDED", "FAILED"]),
    "status": count("The status of the answer; 0 without one."),
    "error": choice(["", *FailureKind], 'What went wrong; "" if nothing.'),
    "message": text("The outcome in words.", examples=["example.com answered 503"]),
    "durations": _DURATIONS,
    "requestBytes": count("Of the request with its headers; 0 if nothing was sent."),
    "responseBytes": count("Of what was read of the answer, with its headers."),
    "nextAttemptTime": text('When the event is attempted again; "" if it is not.'),
    "isTest": flag("Whether the event was made to test the connector."),
    "sampledOneIn": count("How many attempts this one stands for: 1 unless it is a sample."),
    "leftOutBefore": count("Attempts that were left out before this one, under load."),
}

_HEADERS = list_of(object_of({"name": text(), "value": text()}))
_EXCHANGE: dict[str, Schema] = {
    "request": object_of(
        {
            "method": choice(["POST"]),
            "url": text(),
            "headers": _HEADERS,
            "body": text("The exact text."),
        },
        description="The request as it was sent, except for what is masked.",
    ),
    "response": or_null(
        object_of(
            {
                "status": count("The HTTP status."),
                "headers": _HEADERS,
                "body": text(f"The first {SHOWN_BODY_BYTES} bytes, as text."),
                "isTruncated": flag("Whether headers or a part of the body are missing."),
            },
            description="The answer as far as it came; null without one. Show it as text only.",
        )
    ),
}

_POINT: dict[str, Schema] = {
    "time": time("When the step begins."),
    "successCount": count("Attempts that were acknowledged."),
    "errorCount": count("Attempts that failed."),
}
_LATENCIES = {
    f"latencyP{percent}": _milliseconds(
        f"Milliseconds that {percent} % of the attempts did not exceed; null without attempts."
    )
    for percent in (50, 95, 99)
}


def _timeline(point: dict[str, Schema]) -> Schema:
    return object_of(
        {
            "connector": text("The name of the connector."),
            "from": time("When the first step begins."),
            "to": time("When the last step ends, which is not over yet."),
            "stepSeconds": count(f"Seconds of a step: {STEP_SECONDS}."),
            "points": list_of(object_of(point), "All steps, also those without attempts."),
        }
    )


_EXAMPLE = {
    "name": f"projects/{PROJECT}/dataconnectors/{CONNECTOR}/attempts/{ATTEMPT}",
    "attemptTime": TIME,
    "eventId": EVENT,
    "eventType": "temperature",
    "deviceName": f"projects/{PROJECT}/devices/{DEVICE}",
    "attempt": 1,
    "outcome": "FAILED",
    "status": 503,
    "error": FailureKind.STATUS.value,
    "message": "example.com answered 503",
    "durations": {
        "queue": 41.0,
        "dns": None,
        "connect": None,
        "tls": None,
        "firstByte": 83.1,
        "rest": 0.2,
        "total": 83.5,
    },
    "requestBytes": 1042,
    "responseBytes": 187,
    "nextAttemptTime": "2026-01-31T12:00:08.500000Z",
    "isTest": False,
    "sampledOneIn": 1,
    "leftOutBefore": 0,
}

SCHEMAS = {
    "Attempt": object_of(_ATTEMPT, examples=[_EXAMPLE]),
    "AttemptWithExchange": object_of(_ATTEMPT | _EXCHANGE),
    "AttemptList": object_of(
        {
            "attempts": list_of(ref("Attempt")),
            "log": object_of(
                {
                    "mode": choice(
                        ["ALL", "SAMPLED", "FAILURES", "OFF"],
                        "Which attempts the deployment logs. `SAMPLED`: failures, and some "
                        "successes.",
                    ),
                    "successesOneIn": or_null(
                        count("Of so many successes one is logged; null if none is.")
                    ),
                    "dropped": or_null(
                        count(
                            "How many attempts are known to be missing on this page, because they "
                            "came too fast to log; null if the page is one of `eventId`."
                        )
                    ),
                }
            ),
            "nextPageToken": ref("PageToken"),
        }
    ),
    "Timeline": _timeline(_POINT | _LATENCIES),
    "TimelineList": object_of(
        {"timelines": list_of(_timeline(_POINT)), "nextPageToken": ref("PageToken")}
    ),
}
