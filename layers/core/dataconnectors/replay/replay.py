"""A replay: a part of history that is sent once more to one connector, and how far that is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dataconnectors.kernel import times

RETENTION_SECONDS = 31 * 24 * 3600
"""How long a replay can be read after it was started: as long as what it sent is in history."""

MAXIMUM_AGE_SECONDS = 7 * 24 * 3600
"""A replay that is not finished a week after it was started fails. In a week it sends 60 million
events; one that is still not finished has an endpoint that does not answer."""


class ReplayState(StrEnum):
    """What becomes of a replay. Only `RUNNING` changes, once, to one of the others."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a replay is done. Devices come in the order of their partitions and ids.

    Everything before `device` in `partition` (the number of one of the partitions that hold a
    project's devices; 0 when the replay names devices) is done. `event`, a sort key of history, is
    the last event of `device` that is done; "" when all of them are. `device` is "" at the
    beginning. A replay first counts its events (`counting`), and then begins again to send them.
    """

    counting: bool = True
    partition: int = 0
    device: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """One replay of the connector with the resource name `connector`.

    It sends the events from `start` on and before `end`, in epoch seconds, of `event_types` and of
    the `devices` with these ids, in their order; empty means all. `epoch` is the connector's: when
    it changes, the replay ends. `total` is None until all events are counted. `sent` are in the
    connector's queue; `skipped` are not sent: the connector does not want their type any more, or
    they are too large with the labels of today. `error` is "" unless the replay failed.
    """

    connector: str
    id: str
    state: ReplayState
    start: float
    end: float
    event_types: tuple[str, ...]
    devices: tuple[str, ...]
    epoch: int
    create_time: float
    update_time: float
    position: Position = Position()
    total: int | None = None
    counted: int = 0
    sent: int = 0
    skipped: int = 0
    error: str = ""

    @property
    def name(self) -> str:
        """The resource name: `projects/{project}/dataconnectors/{connector}/replays/{id}`."""
        return f"{self.connector}/replays/{self.id}"

    @property
    def project(self) -> str:
        """The id of its project."""
        return self.connector.split("/")[1]

    def to_api(self) -> dict[str, Any]:
        """The resource as answers show it."""
        return {
            "name": self.name,
            "state": self.state.value,
            **request_fields(self.connector, self.start, self.end, self.event_types, self.devices),
            "sent": self.sent,
            "skipped": self.skipped,
            "total": self.total,
            "createTime": times.to_text(self.create_time),
            "updateTime": times.to_text(self.update_time),
            "error": self.error,
        }


def request_fields(
    connector: str,
    start: float,
    end: float,
    event_types: tuple[str, ...],
    devices: tuple[str, ...],
) -> dict[str, Any]:
    """The fields that a request for a replay sets, as `replay_request` reads them."""
    project = "/".join(connector.split("/")[:2])
    return {
        "startTime": times.to_text(start),
        "endTime": times.to_text(end),
        "eventTypes": list(event_types),
        "devices": [f"{project}/devices/{device}" for device in devices],
    }
