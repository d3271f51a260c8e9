"""Replays in DynamoDB: their rows, which of them run, and which process works on each."""

import json
from collections.abc import Sequence
from typing import Any

from dataconnectors.identity.audit import AuditEntry
from dataconnectors.kernel.errors import ConflictError
from dataconnectors.kernel.ids import is_id
from dataconnectors.replay.replay import RETENTION_SECONDS, Position, Replay, ReplayState
from dataconnectors.replay.waiting_runs import UnfinishedReplay
from dataconnectors.store import keys
from dataconnectors.store.audit import put_audit_entries
from dataconnectors.store.table import Item, Table

LEASE_SECONDS = 90
"""How long a process has a replay for itself after it has saved how far it is. It saves that every
few seconds, and at the latest after the deadlines of its calls to SQS, which are 30 s together. A
replay whose process died goes on after this time and the reconciler's next minute. Where clocks
differ by more than a lease has left, two processes send the same page: see `save`."""


class ReplayStore:
    """The replays of all connectors."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, replay: Replay, entry: AuditEntry) -> None:
        """Put a new replay; `ConflictError` when one of the connector's is running."""
        running = keys.unfinished_replay_key(replay.connector)
        failed = self._table.try_transaction(
            [
                self._table.put(running | {"replay": {"S": replay.id}}, "attribute_not_exists(pk)"),
                self._table.put(_item(replay), "attribute_not_exists(pk)"),
                *put_audit_entries(self._table, entry),
            ]
        )
        if failed is None:
            return
        item = self._table.get(running)
        name = f"{replay.connector}/replays/{item['replay']['S']}" if item else "another replay"
        raise ConflictError(f"{name} is running: wait for its end, or cancel it first")

    def replay(self, connector: str, replay_id: str) -> Replay | None:
        """A replay of a connector, whose resource name is `connector`; None when it is gone."""
        if not is_id(replay_id):
            return None
        item = self._table.get(keys.replay_key(connector, replay_id))
        return None if item is None else _read(connector, item)

    def page(
        self, connector: str, now: float, *, limit: int, after: str
    ) -> tuple[list[Replay], str]:
        """A page of a connector's replays, the newest first, and where the next begins, or ""."""
        items, rest = self._table.page(
            keys.replay_partition(connector),
            "-",  # sorts before the first character of every id
            keys.HIGHEST,
            limit=limit,
            after=after,
            newest_first=True,
        )
        current = [item for item in items if now <= int(item["expiresAt"]["N"])]
        return [_read(connector, item) for item in current], rest

    def unfinished(self) -> Sequence[UnfinishedReplay]:
        """The replays of all projects that are not finished."""
        connector_of = {
            item["sk"]["S"]: item["replay"]["S"]
            for item in self._table.query(keys.UNFINISHED_REPLAYS)
        }
        rows = self._table.batch_get(
            [keys.replay_key(connector, replay) for connector, replay in connector_of.items()]
        )
        return [
            UnfinishedReplay(
                name=_read(_connector(item), item).name,
                leased_until=float(item["leasedUntil"]["N"]),
                update_time=int(item["updateTime"]["N"]) / 1_000_000,
            )
            for item in rows
        ]

    def claim(self, connector: str, replay_id: str, process: str, now: float) -> Replay | None:
        """Reserve a replay for one process; None when it has another one, or does not run.

        `process` is a text that no other process uses.
        """
        claimed = self._table.try_write(
            self._table.dynamodb.update_item,
            TableName=self._table.name,
            Key=keys.replay_key(connector, replay_id),
            UpdateExpression="SET #process = :process, leasedUntil = :until",
            # Its own process may claim it again: botocore repeats a call whose answer was lost.
            ConditionExpression=(
                "#state = :running AND (leasedUntil <= :now OR #process = :process)"
            ),
            ExpressionAttributeNames={"#process": "process", "#state": "state"},
            ExpressionAttributeValues={
                ":process": {"S": process},
                ":until": {"N": str(int(now + LEASE_SECONDS))},
                ":now": {"N": str(int(now))},
                ":running": {"S": ReplayState.RUNNING.value},
            },
        )
        return self.replay(connector, replay_id) if claimed else None

    def save(self, replay: Replay, process: str, now: float, *, keep: bool = True) -> bool:
        """Save how far a replay is; False when it was cancelled, or has another process.

        A process whose save fails must end: what it has sent since its last save, one page, is sent
        again by the process that has the replay now. The process keeps the replay, or gives it back
        for another one to go on with.
        """
        until = int(now + LEASE_SECONDS) if keep else 0
        values = _progress(replay) | {"leasedUntil": {"N": str(until)}}
        return self._table.try_write(
            self._table.dynamodb.update_item, **self._update(replay, values, now, process)
        )

    def finish(
        self, replay: Replay, state: ReplayState, error: str, process: str, now: float
    ) -> bool:
        """Save how far a replay came, and its end; False as for `save`."""
        values = _progress(replay) | _end(state, error)
        update = {"Update": self._update(replay, values, now, process)}
        return self._table.try_transaction([update, self._stop_running(replay)]) is None

    def cancel(self, replay: Replay, now: float, entry: AuditEntry) -> bool:
        """Let a replay end; False when it does not run any more.

        The process that works on it notices when it saves its next page, so one more page may be
        sent.
        """
        values = _end(ReplayState.CANCELLED, "")
        update = {"Update": self._update(replay, values, now)}
        actions = [update, self._stop_running(replay), *put_audit_entries(self._table, entry)]
        return self._table.try_transaction(actions) is None

    def _update(self, replay: Replay, values: Item, now: float, process: str = "") -> Item:
        """The update of a replay that runs and, unless it is "", that `process` works on."""
        values = values | {"updateTime": {"N": str(keys.micros(now))}}
        names = [*values, "state"]
        condition, expected = "#state = :running", {"running": {"S": ReplayState.RUNNING.value}}
        if process:
            condition += " AND #process = :process"
            expected["process"] = {"S": process}
            names.append("process")
        return {
            "TableName": self._table.name,
            "Key": keys.replay_key(replay.connector, replay.id),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": {
                f":{name}": value for name, value in (values | expected).items()
            },
        }

    def _stop_running(self, replay: Replay) -> dict[str, Any]:
        """The action after which another replay of the connector may begin."""
        key = keys.unfinished_replay_key(replay.connector)
        return self._table.delete(key, "replay = :replay", {":replay": {"S": replay.id}})


def _progress(replay: Replay) -> Item:
    values = {
        "position": {"S": _position_text(replay.position)},
        "counted": {"N": str(replay.counted)},
        "sent": {"N": str(replay.sent)},
        "skipped": {"N": str(replay.skipped)},
    }
    return values | ({} if replay.total is None else {"total": {"N": str(replay.total)}})


def _end(state: ReplayState, error: str) -> Item:
    return {"state": {"S": state.value}, "error": {"S": error}, "leasedUntil": {"N": "0"}}


def _position_text(position: Position) -> str:
    return json.dumps(
        [position.counting, position.partition, position.device, position.event],
        separators=(",", ":"),
    )


def _connector(item: Item) -> str:
    return str(item["pk"]["S"].removeprefix(keys.replay_partition("")))


def _item(replay: Replay) -> Item:
    """The row of a new replay."""
    return (
        keys.replay_key(replay.connector, replay.id)
        | _progress(replay)
        | {
            "state": {"S": replay.state.value},
            "startTime": {"N": str(keys.micros(replay.start))},
            "endTime": {"N": str(keys.micros(replay.end))},
            "eventTypes": {"L": [{"S": text} for text in replay.event_types]},
            "devices": {"L": [{"S": text} for text in replay.devices]},
            "epoch": {"N": str(replay.epoch)},
            "error": {"S": replay.error},
            "process": {"S": ""},
            "leasedUntil": {"N": "0"},
            "createTime": {"N": str(keys.micros(replay.create_time))},
            "updateTime": {"N": str(keys.micros(replay.update_time))},
            "expiresAt": {"N": str(int(replay.create_time) + RETENTION_SECONDS)},
        }
    )


def _read(connector: str, item: Item) -> Replay:
    counting, partition, device, event = json.loads(item["position"]["S"])
    return Replay(
        connector=connector,
        id=item["sk"]["S"],
        state=ReplayState(item["state"]["S"]),
        start=int(item["startTime"]["N"]) / 1_000_000,
        end=int(item["endTime"]["N"]) / 1_000_000,
        event_types=tuple(text["S"] for text in item["eventTypes"]["L"]),
        devices=tuple(text["S"] for text in item["devices"]["L"]),
        epoch=int(item["epoch"]["N"]),
        create_time=int(item["createTime"]["N"]) / 1_000_000,
        update_time=int(item["updateTime"]["N"]) / 1_000_000,
        position=Position(counting, partition, device, event),
        total=int(item["total"]["N"]) if "total" in item else None,
        counted=int(item["counted"]["N"]),
        sent=int(item["sent"]["N"]),
        skipped=int(item["skipped"]["N"]),
        error=item["error"]["S"],
    )
