"""Replays and gaps in the OpenAPI document."""

from dataconnectors.api.openapi.examples import CONNECTOR, DEVICE, PROJECT, REPLAY
from dataconnectors.api.openapi.operation import DAY, PAGE, Operation
from dataconnectors.api.openapi.schema import (
    NAME,
    choice,
    count,
    described,
    input_of,
    list_of,
    object_of,
    or_null,
    page_of,
    ref,
    text,
    time,
)
from dataconnectors.events.event_types import EVENT_TYPES
from dataconnectors.events.history_query import NOT_IN_HISTORY, RETENTION_SECONDS
from dataconnectors.replay.gaps import GapReason
from dataconnectors.replay.replay import MAXIMUM_AGE_SECONDS, ReplayState
from dataconnectors.replay.replay_request import MAXIMUM_DEVICES

_CONNECTOR = "/projects/{project}/dataconnectors/{connector}"
_REPLAY = _CONNECTOR + "/replays/{replay}"
_DEVICE_NAME = f"projects/{PROJECT}/devices/{DEVICE}"

OPERATIONS = (
    Operation(
        "startReplay",
        "POST",
        _CONNECTOR + ":replay",
        "Replays",
        "Push a part of history once more",
        "Replay",
        "dataconnector.update",
        body="NewReplay",
        conflicts=True,
        description=(
            "Pushes to this connector only, with the events' own ids and as they were accepted; "
            "labels and metadata are those of now. The answer comes at once: read the replay to "
            "see how far it is. A connector has one running replay at most, which is so slow that "
            "fresh events do not wait for it. It goes through the devices one after the other, the "
            "oldest events first. It ends when the connector is disabled or deleted, and after "
            f"{MAXIMUM_AGE_SECONDS // DAY} days. An event may be pushed twice."
        ),
    ),
    Operation(
        "listReplays",
        "GET",
        _CONNECTOR + "/replays",
        "Replays",
        "List a connector's replays, the newest first",
        "ReplayList",
        "dataconnector.read",
        query=PAGE,
    ),
    Operation(
        "getReplay",
        "GET",
        _REPLAY,
        "Replays",
        "Show a replay and how far it is",
        "Replay",
        "dataconnector.read",
    ),
    Operation(
        "cancelReplay",
        "POST",
        _REPLAY + ":cancel",
        "Replays",
        "End a replay",
        "Replay",
        "dataconnector.update",
        description=(
            "What is in the connector's queue by then is still pushed. A replay that has ended "
            "already is answered as it is."
        ),
    ),
    Operation(
        "listGaps",
        "GET",
        _CONNECTOR + "/gaps",
        "Replays",
        "List what the endpoint never got, the newest first",
        "GapList",
        "dataconnector.expired.read",
        query=PAGE,
        description=(
            "A gap is made of expired events that were accepted at most an hour apart. Its "
            "`replay` is the body of the call that fills it. A very large gap goes on as a further "
            "entry on the next page."
        ),
    ),
)

_REPLAYABLE = [name for name in EVENT_TYPES if name not in NOT_IN_HISTORY]
_EVENT_TYPES = list_of(
    choice(_REPLAYABLE),
    "The types of the events. An empty list stands for all types that the connector pushes when "
    "the replay starts.",
    maxItems=len(EVENT_TYPES),
)
_DEVICES = list_of(
    text(examples=[_DEVICE_NAME]),
    "The names of the devices. An empty list stands for all devices that the project has now.",
    maxItems=MAXIMUM_DEVICES,
)
_START = time(
    "The first time of an event that is pushed. At most "
    f"{RETENTION_SECONDS // DAY} days ago, because history does not go back further."
)
_END = time("Events before this time are pushed. At most now.")
_REQUEST = {"startTime": _START, "endTime": _END, "eventTypes": _EVENT_TYPES, "devices": _DEVICES}

_PERIOD_EXAMPLE = {
    "startTime": "2026-01-31T06:00:00.000000Z",
    "endTime": "2026-01-31T08:30:00.000000Z",
}
_REQUEST_EXAMPLE = _PERIOD_EXAMPLE | {"eventTypes": ["temperature"], "devices": [_DEVICE_NAME]}
_TIME_EXAMPLE = "2026-01-31T12:00:00.000000Z"

SCHEMAS = {
    "NewReplay": input_of(
        _REQUEST | {"eventTypes": or_null(_EVENT_TYPES), "devices": or_null(_DEVICES)},
        ("startTime", "endTime"),
    )
    | {"examples": [_REQUEST_EXAMPLE, _PERIOD_EXAMPLE]},
    "Replay": object_of(
        {
            "name": text(NAME),
            "state": choice(
                [state.value for state in ReplayState], "Only a `RUNNING` replay still changes."
            ),
            **_REQUEST,
            "sent": count("The events that are in the connector's queue, or were pushed."),
            "skipped": count(
                "The events that are not pushed: with the labels of today they are too large, or "
                "the connector does not push their type any more."
            ),
            "total": described(
                or_null({"type": "integer", "minimum": 0}),
                "The events of the replay. `null` until they are counted.",
            ),
            "createTime": time("When the replay was started."),
            "updateTime": time("When it was last known how far the replay is."),
            "error": text("Why the replay failed, and what to do; empty otherwise."),
        },
        examples=[
            {
                "name": f"projects/{PROJECT}/dataconnectors/{CONNECTOR}/replays/{REPLAY}",
                "state": ReplayState.RUNNING.value,
                **_REQUEST_EXAMPLE,
                "sent": 1200,
                "skipped": 0,
                "total": 8640,
                "createTime": _TIME_EXAMPLE,
                "updateTime": _TIME_EXAMPLE,
                "error": "",
            }
        ],
    ),
    "ReplayList": page_of("replays", "Replay")
    | {"description": "Replays are shown for 31 days after they were started."},
    "Gap": object_of(
        {
            "reason": choice(
                [reason.value for reason in GapReason],
                "`EXPIRED`: not acknowledged within 12 hours. `UNACCOUNTED`: deleted by the queue "
                "after 12 hours without an attempt; count and times are approximate.",
            ),
            "startTime": time("When the first of the events was accepted."),
            "endTime": time("When the last of the events was accepted."),
            "count": count("How many events are missing."),
            "replay": {
                "anyOf": [ref("NewReplay"), {"type": "null"}],
                "description": (
                    "The replay that fills the gap. `null` when history has none of the events: "
                    "they are too old, or of a type that is not kept."
                ),
            },
        },
    ),
    "GapList": page_of("gaps", "Gap"),
}
