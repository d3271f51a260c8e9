"""Attempt counts in DynamoDB: batches add to an item for each connector, shard and minute."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from dataconnectors.delivery.attempt_counts import AttemptCounts
from dataconnectors.store import keys
from dataconnectors.store.table import Item, Table

WINDOW_MINUTES = 180
"""Minutes that metrics are shown for: the last 3 hours, including the current minute."""

LAST_SUCCESS_MINUTES = 24 * 60
"""Minutes in which the last success is looked for: an outage of half a day, after which events
expire, still has one before it."""

LAST_SUCCESS_PAGE = 60
"""Items that are read together in search of it, the newest first. The first one has it, mostly."""

EXPIRE_SECONDS = (LAST_SUCCESS_MINUTES + 5) * 60
"""Age at which an item expires, from the start of its minute. The margin of 5 minutes is for clocks
that differ."""

_BUCKET = re.compile(r"b(\d+)")
"""Name of an attribute that counts the response times of one bucket of `AttemptCounts`."""


MapShards = Callable[..., Iterable[Any]]
"""Calls a function for each element, as `map` does, but perhaps in parallel."""


class AttemptCountStore:
    """The attempt counts of connectors, by resource name."""

    def __init__(self, table: Table, shard: int = 0) -> None:
        """A process that adds picks one `shard` of `keys.ATTEMPT_COUNT_SHARDS` at random."""
        self._table = table
        self._shard = shard

    def add(self, name: str, attempts: AttemptCounts, now: float) -> None:
        """Add the counts of a batch to the minute of `now` (epoch seconds), by one write.

        The write must not be repeated: see `never_repeated` of `aws.clients.Clients.get`.
        """
        counts = {"successes": attempts.successes, "errors": attempts.errors}
        counts |= {f"b{bucket}": count for bucket, count in attempts.latencies.items()}
        minute = math.floor(now / 60)
        values = {f":{name}": {"N": str(count)} for name, count in counts.items()}
        self._table.dynamodb.update_item(
            TableName=self._table.name,
            Key=keys.attempt_counts_key(name, self._shard, minute),
            UpdateExpression=(
                "ADD "
                + ", ".join(f"{name} :{name}" for name in counts)
                + " SET expiresAt = :expires"
            ),
            ExpressionAttributeValues=values
            | {":expires": {"N": str(minute * 60 + EXPIRE_SECONDS)}},
        )

    def recent(
        self,
        name: str,
        now: float,
        map_shards: Callable[
            [Callable[[int], AttemptCounts], Iterable[int]], Iterable[AttemptCounts]
        ] = map,
    ) -> AttemptCounts:
        """The sum of the last 3 hours, by a Query for each shard.

        `map_shards` calls a function for each shard, as `map` does, but perhaps in parallel.
        """
        last = math.floor(now / 60)
        first = last - WINDOW_MINUTES + 1

        def of_shard(shard: int) -> AttemptCounts:
            minutes = self._minutes(name, shard, first, last)
            return sum((counts for _, counts in minutes), AttemptCounts())

        return sum(map_shards(of_shard, range(keys.ATTEMPT_COUNT_SHARDS)), AttemptCounts())

    def minutes(
        self, names: Sequence[str], first: int, last: int, map_shards: MapShards = map
    ) -> dict[str, dict[int, AttemptCounts]]:
        """The counts of each minute that has any, from `first` to `last`, by connector.

        Minutes count from the epoch. There is a Query for each connector and shard, all at once.
        """
        wanted = [(name, shard) for name in names for shard in range(keys.ATTEMPT_COUNT_SHARDS)]

        def of_shard(place: tuple[str, int]) -> list[tuple[int, AttemptCounts]]:
            return list(self._minutes(*place, first, last))

        found: dict[str, dict[int, AttemptCounts]] = {name: {} for name in names}
        for (name, _), minutes in zip(wanted, map_shards(of_shard, wanted), strict=True):
            for minute, counts in minutes:
                found[name][minute] = found[name].get(minute, AttemptCounts()) + counts
        return found

    def last_success(
        self,
        name: str,
        now: float,
        map_shards: Callable[[Callable[[int], float], Iterable[int]], Iterable[float]] = map,
        *,
        since: float | None = None,
    ) -> float | None:
        """The minute of the last attempt that succeeded, in epoch seconds; None without one in the
        last day. `since` is when the connector began to fail: none has succeeded after it.

        A Query for each shard, and more where many minutes have failures alone.
        """
        first = math.floor(now / 60) - LAST_SUCCESS_MINUTES + 1
        # A sender's clock may be ahead.
        last = math.floor((now if since is None else min(now, since)) / 60) + 1

        def of_shard(shard: int) -> float:
            low, high = (keys.attempt_counts_key(name, shard, each) for each in (first, last))
            partition, position = low["pk"]["S"], ""
            while True:
                items, position = self._table.page(
                    partition,
                    low["sk"]["S"],
                    high["sk"]["S"],
                    limit=LAST_SUCCESS_PAGE,
                    after=position,
                    newest_first=True,
                )
                for item in items:
                    if _attempt_counts(item).successes:
                        return int(item["sk"]["S"])
                if not position:
                    return 0

        if last < first:
            return None
        return max(map_shards(of_shard, range(keys.ATTEMPT_COUNT_SHARDS))) * 60 or None

    def _minutes(
        self, name: str, shard: int, first: int, last: int
    ) -> Iterator[tuple[int, AttemptCounts]]:
        """The minutes that have counts, and these counts."""
        low, high = (keys.attempt_counts_key(name, shard, minute) for minute in (first, last))
        # 180 items, one for each minute and of 2 KB at most, are always one page of DynamoDB.
        items, _ = self._table.page(
            low["pk"]["S"], low["sk"]["S"], high["sk"]["S"], limit=WINDOW_MINUTES
        )
        for item in items:
            yield int(item["sk"]["S"]), _attempt_counts(item)


def _attempt_counts(item: Item) -> AttemptCounts:
    latencies = {}
    for attribute, value in item.items():
        bucket = _BUCKET.fullmatch(attribute)
        if bucket:
            latencies[int(bucket[1])] = int(value["N"])
    return AttemptCounts(int(item["successes"]["N"]), int(item["errors"]["N"]), latencies)
