"""The attempt log in DynamoDB: a small item in the order of time, and one by event with everything.

The small items make lists and filters cheap. The other ones hold request and answer, and find the
attempts of an event without a search.
"""

import heapq
import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dataconnectors.delivery.logged_attempt import LoggedAttempt, exchange_of
from dataconnectors.store import keys
from dataconnectors.store.table import BATCH_WRITE_PUTS, Item, Table

if TYPE_CHECKING:  # The API, which only reads, needs nothing of the sender's.
    from dataconnectors.delivery.attempt_log import Entry

RETENTION_SECONDS = 3 * 24 * 3600
"""How long an attempt is shown after it began. TTL removes its items."""

CLOCK_SKEW = 60
"""Seconds that a sender's clock may be ahead of ours. Without them its newest attempts would be
missing."""

FILTERED_ITEMS = 500
"""Items that a Query of one shard reads when a filter may leave most of them out: 0.3 MB."""

MOST_ROUNDS = 5
"""How often all shards are read for a page: at most 10,000 items. When a filter lets little
through, a page ends early, with a token to go on from there."""

ITEMS = 2
"""Items of an attempt."""

QUICK = 1
"""Level of zlib: the quickest. It halves an item of usual size, and takes 30 microseconds."""


class AttemptPage(NamedTuple):
    """Attempts, the newest first, and the position that the next page begins after, or "".

    `left_out` attempts are known to be missing between the first and the last of those that were
    read for the page.
    """

    attempts: list[LoggedAttempt]
    position: str
    left_out: int


Keep = Callable[[LoggedAttempt], bool]
MapShards = Callable[
    [Callable[[int], tuple[list[Item], str]], Iterable[int]], Iterable[tuple[list[Item], str]]
]


class AttemptStore:
    """Writes and reads the attempt log. Connectors are resource names. Threads may share it."""

    def __init__(self, table: Table, shard: int = 0) -> None:
        """A process that writes picks one `shard` of `keys.ATTEMPT_SHARDS` at random."""
        self._table = table
        self._shard = shard

    def write(self, entries: "Sequence[Entry]") -> int:
        """Write down attempts, and return how many are not written. Raises botocore's errors.

        What DynamoDB leaves unprocessed is not sent again: it is busy with something that matters.
        """
        from dataconnectors.delivery.log_records import logged_attempt

        items: dict[tuple[str, str], Item] = {}
        for entry in entries:
            attempt = logged_attempt(entry)
            for item in (_summary(attempt, self._shard), _details(attempt)):
                # DynamoDB refuses a batch that writes an item twice, and a message may come twice.
                items[item["pk"]["S"], item["sk"]["S"]] = item
        puts = [{"PutRequest": {"Item": item}} for item in items.values()]
        unprocessed = 0
        for start in range(0, len(puts), BATCH_WRITE_PUTS):
            part = puts[start : start + BATCH_WRITE_PUTS]
            answer = self._table.dynamodb.batch_write_item(RequestItems={self._table.name: part})
            unprocessed += len(answer.get("UnprocessedItems", {}).get(self._table.name, ()))
        return min(-(-unprocessed // ITEMS), len(entries))

    def page(
        self,
        connector: str,
        start: float,
        end: float,
        *,
        limit: int,
        after: str,
        keep: Keep | None,
        map_shards: MapShards = map,
    ) -> AttemptPage:
        """At most `limit` attempts that began from `start` on and before `end` (epoch seconds).

        `after` is the position of the page before. `keep` says which attempts are wanted.
        `map_shards` calls a function for each shard, as `map` does, but perhaps in parallel.
        """
        low, high = keys.history_sort(start), keys.history_sort(end)
        reads = limit if keep is None else max(limit, FILTERED_ITEMS)
        found: list[LoggedAttempt] = []
        left_out = 0
        if high <= low:
            return AttemptPage([], "", 0)
        for _ in range(MOST_ROUNDS):
            top = after if low < after < high else high

            def of_shard(shard: int, top: str = top) -> tuple[list[Item], str]:
                return self._table.page(
                    keys.attempts_partition(connector, shard),
                    low,
                    top,
                    limit=reads,
                    after=top,
                    newest_first=True,
                )

            shards = list(map_shards(of_shard, range(keys.ATTEMPT_SHARDS)))
            # Down to here, all shards are read.
            frontier = max(rest for _, rest in shards)
            for item in _merged(items for items, _ in shards):
                position = item["sk"]["S"]
                if position < frontier:
                    break
                attempt = _attempt(connector, item)
                left_out += attempt.left_out
                if keep is None or keep(attempt):
                    found.append(attempt)
                    if len(found) == limit:
                        return AttemptPage(found, position, left_out)
            after = frontier
            if not after:
                break
        return AttemptPage(found, after, left_out)

    def page_of_event(
        self, connector: str, event_id: str, start: float, end: float, *, limit: int, after: str
    ) -> tuple[list[LoggedAttempt], str]:
        """A page of the attempts of one event, the newest first, with request and answer.

        One Query: an event has some twenty attempts.
        """
        items, rest = self._table.page(
            keys.event_attempts_partition(connector, event_id),
            keys.history_sort(start),
            keys.history_sort(end),
            limit=limit,
            after=after,
            newest_first=True,
        )
        return [_detailed(connector, event_id, item) for item in items], rest

    def attempt(self, connector: str, event_id: str, started: int) -> LoggedAttempt | None:
        """An attempt with request and answer; `started` is in microseconds. None without one."""
        partition = keys.event_attempts_partition(connector, event_id)
        item = self._table.get({"pk": {"S": partition}, "sk": {"S": f"{started:016d}#"}})
        return None if item is None else _detailed(connector, event_id, item)


def _merged(shards: Iterable[list[Item]]) -> Iterable[Item]:
    """The items of all shards, the newest first."""
    return heapq.merge(*shards, key=lambda item: item["sk"]["S"], reverse=True)


def _summary(attempt: LoggedAttempt, shard: int) -> Item:
    return {
        "pk": {"S": keys.attempts_partition(attempt.connector, shard)},
        "sk": {"S": keys.history_sort(attempt.started_at, attempt.event_id)},
        "entry": {"S": _json(_content(attempt))},
        "expiresAt": _expires_at(attempt),
    }


def _details(attempt: LoggedAttempt) -> Item:
    content = _json([_content(attempt), attempt.exchange])
    return {
        "pk": {"S": keys.event_attempts_partition(attempt.connector, attempt.event_id)},
        "sk": {"S": keys.history_sort(attempt.started_at)},
        "entry": {"B": zlib.compress(content.encode(), QUICK)},
        "expiresAt": _expires_at(attempt),
    }


def _expires_at(attempt: LoggedAttempt) -> Item:
    return {"N": str(int(attempt.started_at) + RETENTION_SECONDS)}


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _content(attempt: LoggedAttempt) -> dict[str, Any]:
    """What both items have. Absent fields have the values that most attempts have."""
    content: dict[str, Any] = {
        "eventType": attempt.event_type,
        "device": attempt.device,
        "number": attempt.number,
        "status": attempt.status,
        "message": attempt.message,
        "durations": attempt.durations,
        "requestBytes": attempt.request_bytes,
        "responseBytes": attempt.response_bytes,
    }
    if attempt.error:
        content["error"] = attempt.error
    if attempt.next_at is not None:
        content["nextAt"] = round(attempt.next_at, 3)
    if attempt.one_in != 1:
        content["oneIn"] = attempt.one_in
    if attempt.is_test:
        content["isTest"] = True
    if attempt.left_out:
        content["leftOut"] = attempt.left_out
    return content


def _attempt(connector: str, item: Item) -> LoggedAttempt:
    started, _, event_id = item["sk"]["S"].partition("#")
    return _read(connector, event_id, started, json.loads(item["entry"]["S"]))


def _detailed(connector: str, event_id: str, item: Item) -> LoggedAttempt:
    content, exchange = json.loads(zlib.decompress(bytes(item["entry"]["B"])))
    started = item["sk"]["S"].partition("#")[0]
    attempt = _read(connector, event_id, started, content)
    return attempt._replace(exchange=exchange_of(exchange))


def _read(connector: str, event_id: str, started: str, content: dict[str, Any]) -> LoggedAttempt:
    return LoggedAttempt(
        connector=connector,
        event_id=event_id,
        event_type=content["eventType"],
        device=content["device"],
        started_at=int(started) / 1_000_000,
        number=content["number"],
        status=content["status"],
        error=content.get("error", ""),
        message=content["message"],
        durations=content["durations"],
        request_bytes=content["requestBytes"],
        response_bytes=content["responseBytes"],
        next_at=content.get("nextAt"),
        one_in=content.get("oneIn", 1),
        left_out=content.get("leftOut", 0),
        is_test=content.get("isTest", False),
    )
