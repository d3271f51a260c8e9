"""What is known of failing connectors, as attributes of their items, both ways."""

from typing import Any

from dataconnectors.connectors.failing import Failing
from dataconnectors.store import keys
from dataconnectors.store.table import Item

FAILING_SINCE = "failingSince"
"""The attribute that an item has while its connector is failing."""

FAILURES = "failures"
"""The number of failed attempts in the window. Batches add to it at the same time."""

WINDOW = "failuresFrom"
CANARY_AT = "canaryAt"


def seconds(time: float) -> Item:
    """Epoch seconds as a number. Six decimals are as exact as a double of today's times."""
    return {"N": f"{time:.6f}"}


def failing_item(failing: Failing) -> Item:
    """The attributes of a connector's item that say what is known. Times are in seconds, to the
    microsecond."""
    return {
        FAILING_SINCE: seconds(failing.since),
        "failedAt": seconds(failing.failed_at),
        "failureKind": {"S": failing.kind},
        "failureMessage": {"S": failing.message},
        "failureStatus": {"N": str(failing.status or 0)},
        "oldestFailed": seconds(failing.oldest),
        WINDOW: seconds(failing.window),
        FAILURES: {"N": str(failing.failures)},
        CANARY_AT: seconds(failing.canary_at),
        "watched": {"BOOL": failing.watched},
    }


OF_FIRST_BATCH = frozenset({FAILING_SINCE, "oldestFailed", WINDOW, CANARY_AT, "watched"})
"""What stays as the first batch that failed has written it, when others end at the same time."""

ATTRIBUTES = tuple(failing_item(Failing(0, 0, "", "", 0, 0, 0, 0)))
"""The names of these attributes. template.yaml lets the sender change no others of a connector."""


def read_failing(item: Item) -> Failing:
    """What the attributes of an item say."""
    return Failing(
        since=float(item[FAILING_SINCE]["N"]),
        failed_at=float(item["failedAt"]["N"]),
        kind=item["failureKind"]["S"],
        message=item["failureMessage"]["S"],
        status=int(item["failureStatus"]["N"]) or None,
        oldest=float(item["oldestFailed"]["N"]),
        window=float(item["failuresFrom"]["N"]),
        failures=int(item[FAILURES]["N"]),
        canary_at=float(item[CANARY_AT]["N"]),
        watched=item["watched"]["BOOL"],
    )


def listing(table: str, name: str, since: float) -> dict[str, Any]:
    """The update that puts a connector on the list of failing ones. It keeps what was told."""
    return {
        "TableName": table,
        "Key": keys.failing_connector_key(name),
        "UpdateExpression": f"SET {FAILING_SINCE} = :since",
        "ExpressionAttributeValues": {":since": seconds(since)},
    }
