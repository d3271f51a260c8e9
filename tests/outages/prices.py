"""What AWS bills for a sender: calls, units of DynamoDB, seconds of Lambda, and log lines.

The prices are those of the cost model (`bench/cost/prices.py`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.cost import prices
from bench.cost.measured import PLATFORM_BYTES

READ_UNIT_BYTES, WRITE_UNIT_BYTES = 4096, 1024
"""Bytes of an item that a unit reads, strongly consistent, and writes. A transaction takes two
units for each."""


@dataclass
class Usage:
    """What was used. `sqs` and `dynamodb` are calls; the units are DynamoDB's."""

    invocations: int = 0
    gb_seconds: float = 0.0
    sqs: int = 0
    dynamodb: int = 0
    read_units: int = 0
    write_units: int = 0
    kms: int = 0
    log_bytes: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """What was used together."""
        return Usage(**{name: value + vars(other)[name] for name, value in vars(self).items()})

    def __sub__(self, other: "Usage") -> "Usage":
        """What was used since `other`, an earlier state."""
        return Usage(**{name: value - vars(other)[name] for name, value in vars(self).items()})

    @property
    def dollars(self) -> float:
        """The price. Idle polling and the sending of events cost the same without an outage."""
        return (
            self.invocations * prices.LAMBDA_REQUEST.dollars
            + self.gb_seconds * prices.LAMBDA_GB_SECOND.dollars
            + self.sqs * prices.SQS_REQUEST.dollars
            + self.read_units * prices.READ_UNIT.dollars
            + self.write_units * prices.WRITE_UNIT.dollars
            + self.kms * prices.KMS_REQUEST.dollars
            + (self.log_bytes + self.invocations * PLATFORM_BYTES)
            / 1e9
            * prices.LOG_INGESTED.dollars
        )


def item_bytes(item: Mapping[str, Any] | None) -> int:
    """The size of a DynamoDB item: names, texts and bytes as they are; a number takes a byte for
    two digits, and one more; a list three bytes, and one for each element."""
    return sum(len(name) + _value_bytes(value) for name, value in (item or {}).items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content)
        case "N":
            return math.ceil(len(content) / 2) + 1
        case "L":
            return 3 + sum(1 + _value_bytes(element) for element in content)
    return 1  # BOOL


def units(size: int, of: int) -> int:
    """The units that an item of this size takes; one at least."""
    return max(1, math.ceil(size / of))
