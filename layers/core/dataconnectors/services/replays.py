"""Replays: starting, reading and cancelling them."""

from collections.abc import Callable
from typing import Any

from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.identity.audit import Actor
from dataconnectors.kernel.errors import BadRequestError, NotFoundError
from dataconnectors.kernel.ids import ENTROPY_BYTES, is_id, new_id
from dataconnectors.replay.replay import Replay, ReplayState
from dataconnectors.replay.replay_request import parse_replay
from dataconnectors.replay.waiting_runs import WaitingRuns
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.replays import ReplayStore


class ReplayService:
    """Replays of any project's connectors. Checks no permission.

    The work is done by a function of its own, which `waiting_runs` starts.
    """

    def __init__(
        self,
        replays: ReplayStore,
        connectors: ConnectorStore,
        waiting_runs: WaitingRuns,
        *,
        keeps_history: bool,
        entropy: Callable[[int], bytes],
        now: Callable[[], float],
    ) -> None:
        """`entropy` gives random bytes, `now` epoch seconds."""
        self._replays = replays
        self._connectors = connectors
        self._waiting_runs = waiting_runs
        self._keeps_history = keeps_history
        self._entropy = entropy
        self._now = now

    def start(self, project: str, connector_id: str, body: Any, actor: Actor) -> dict[str, Any]:
        """Start a replay, and show it. If its function cannot be invoked now, the reconciler does.

        Raises `BadRequestError`, `NotFoundError`, and `ConflictError` beside another replay of the
        connector.
        """
        now = self._now()
        request = parse_replay(body, project, now)
        connector = self._connector(project, connector_id)
        if not self._keeps_history:
            raise BadRequestError(
                "this deployment keeps no history (KeepHistory=false), so nothing can be replayed"
            )
        if not connector.is_active:
            raise BadRequestError(f"{connector.name} is disabled: enable it first")
        replay = Replay(
            connector=connector.name,
            id=new_id(now, self._entropy(ENTROPY_BYTES)),
            state=ReplayState.RUNNING,
            start=request.start,
            end=request.end,
            event_types=request.event_types_of(connector),
            devices=request.devices,
            epoch=connector.epoch,
            create_time=now,
            update_time=now,
        )
        shown = replay.to_api()
        details = {name: shown[name] for name in ("startTime", "endTime", "eventTypes", "devices")}
        entry = actor.audit_entry("dataconnector.update", replay.name, details=details)
        self._replays.create(replay, entry)
        self._waiting_runs.start(now)
        return shown

    def get(self, project: str, connector_id: str, replay_id: str) -> dict[str, Any]:
        """One replay, also of a connector that was deleted since; raises `NotFoundError`."""
        return self._replay(project, connector_id, replay_id).to_api()

    def page(
        self, project: str, connector_id: str, *, limit: int, after: str
    ) -> tuple[list[dict[str, Any]], str]:
        """A page of a connector's replays, the newest first, and where the next begins, or "".

        Raises `NotFoundError` when there is no such connector and no replay of it.
        """
        if not is_id(connector_id):
            raise _absent(_name(project, connector_id))
        name = _name(project, connector_id)
        found, rest = self._replays.page(name, self._now(), limit=limit, after=after)
        if not found and not rest:
            self._connector(project, connector_id)
        return [replay.to_api() for replay in found], rest

    def cancel(
        self, project: str, connector_id: str, replay_id: str, actor: Actor
    ) -> dict[str, Any]:
        """End a replay, and show it. Nothing happens to one that has ended already.

        What is in the connector's queue by then is still pushed. Raises `NotFoundError`.
        """
        replay = self._replay(project, connector_id, replay_id)
        if replay.state is not ReplayState.RUNNING:
            return replay.to_api()
        details = {"state": ReplayState.CANCELLED.value}
        entry = actor.audit_entry("dataconnector.update", replay.name, details=details)
        self._replays.cancel(replay, self._now(), entry)
        # It was cancelled by this call, or has ended in another way a moment before it.
        return self.get(project, connector_id, replay_id)

    def _connector(self, project: str, connector_id: str) -> Connector:
        name = _name(project, connector_id)
        connector = self._connectors.connector(name)
        if connector is None or connector.lifecycle is Lifecycle.DELETING:
            raise _absent(name)
        return connector

    def _replay(self, project: str, connector_id: str, replay_id: str) -> Replay:
        name = _name(project, connector_id)
        replay = self._replays.replay(name, replay_id) if is_id(connector_id) else None
        if replay is None:
            raise _absent(f"{name:.200}/replays/{replay_id}")
        return replay


def _name(project: str, connector_id: str) -> str:
    return f"projects/{project}/dataconnectors/{connector_id}"


def _absent(name: str) -> NotFoundError:
    return NotFoundError(f"{name:.300} is not there")
