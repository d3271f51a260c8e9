"""Which attempts the attempt log keeps: a choice of the deployer's."""

from enum import StrEnum


class LogMode(StrEnum):
    """Which attempts are written down. The values are those of the stack's parameter."""

    ALL = "all"
    SAMPLED = "sampled"  # failures, and one success in a number
    FAILURES = "failures"
    OFF = "off"
