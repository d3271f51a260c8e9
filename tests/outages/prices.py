"""What AWS bills for a sender: calls, units of DynamoDB, seconds of Lambda, and log lines.

List prices in dollars for us-east-1 without a free tier, from AWS's price lists of September 2026.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MILLION = 1e6

LAMBDA_REQUEST = 0.20 / MILLION
LAMBDA_GB_SECOND = 0.0000133334  # arm64
SQS_REQUEST = 0.40 / MILLION
DYNAMODB_READ_UNIT = 0.125 / MILLION
DYNAMODB_WRITE_UNIT = 0.625 / MILLION
KMS_REQUEST = 0.03 / 10_000
LOG_GB = 0.50

READ_UNIT_BYTES, WRITE_UNIT_BYTES = 4096, 1024
"""Bytes of an item that a unit reads, strongly consistent, and writes. A transaction takes two
units for each."""

PLATFORM_LOG_BYTES = 400
"""Bytes of the lines START, END and REPORT that Lambda itself writes for an invocation."""


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
            self.invocations * LAMBDA_REQUEST
            + self.gb_seconds * LAMBDA_GB_SECOND
            + self.sqs * SQS_REQUEST
            + self.read_units * DYNAMODB_READ_UNIT
            + self.write_units * DYNAMODB_WRITE_UNIT
            + self.kms * KMS_REQUEST
            + (self.log_bytes + self.invocations * PLATFORM_LOG_BYTES) / 1e9 * LOG_GB
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
