"""Tallies in DynamoDB: one item for each connector, shard and minute, added to by each batch."""

import math
import re
from collections.abc import Callable, Iterable, Iterator

from dataconnectors.delivery.attempt_counts import AttemptCounts
from dataconnectors.store import keys
from dataconnectors.store.table import Item, Table

WINDOW_MINUTES = 180
"""What is shown: the last 3 hours, the current minute included."""

EXPIRE_SECONDS = (WINDOW_MINUTES + 5) * 60
"""From the start of its minute on, an item is of no use; clocks differ by less than the margin."""

_BUCKET = re.compile(r"b(\d+)")


class AttemptCountStore:
    """Tallies of connectors, by resource name."""

    def __init__(self, table: Table, shard: int = 0) -> None:
        """A process that adds takes one `shard`, by chance, of `keys.ATTEMPT_COUNT_SHARDS`."""
        self._table = table
        self._shard = shard

    def add(self, name: str, tally: AttemptCounts, now: float) -> None:
        """Count attempts at the minute of `now`, in epoch seconds; one write.

        Not safe to repeat: `Clients.get` says how a client is made that does not.
        """
        counts = {"successes": tally.successes, "errors": tally.errors}
        counts |= {f"b{bucket}": count for bucket, count in tally.latencies.items()}
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
        together: Callable[
            [Callable[[int], AttemptCounts], Iterable[int]], Iterable[AttemptCounts]
        ] = map,
    ) -> AttemptCounts:
        """The sum of the last 3 hours: one Query for each shard, made `together`."""
        last = math.floor(now / 60)
        first = last - WINDOW_MINUTES + 1

        def of_shard(shard: int) -> AttemptCounts:
            return sum(self._minutes(name, shard, first, last), AttemptCounts())

        return sum(together(of_shard, range(keys.ATTEMPT_COUNT_SHARDS)), AttemptCounts())

    def _minutes(self, name: str, shard: int, first: int, last: int) -> Iterator[AttemptCounts]:
        low, high = (keys.attempt_counts_key(name, shard, minute) for minute in (first, last))
        # An item for each minute, of 2 KB at most, is always one page.
        items, _ = self._table.page(
            low["pk"]["S"], low["sk"]["S"], high["sk"]["S"], limit=WINDOW_MINUTES
        )
        yield from map(_tally, items)


def _tally(item: Item) -> AttemptCounts:
    latencies = {}
    for attribute, value in item.items():
        bucket = _BUCKET.fullmatch(attribute)
        if bucket:
            latencies[int(bucket[1])] = int(value["N"])
    return AttemptCounts(int(item["successes"]["N"]), int(item["errors"]["N"]), latencies)
