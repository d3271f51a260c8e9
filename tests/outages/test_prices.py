"""What is billed, by AWS's rules."""

from typing import Any

import pytest

from tests.outages.prices import READ_UNIT_BYTES, WRITE_UNIT_BYTES, Usage, item_bytes, units


@pytest.mark.parametrize(
    ("item", "size"),
    [
        (None, 0),
        ({}, 0),
        ({"pk": {"S": "abc"}}, 5),
        ({"pk": {"S": "ü"}}, 4),
        ({"b": {"B": b"12345"}}, 6),
        ({"n": {"N": "1"}}, 3),
        ({"n": {"N": "12345"}}, 5),
        ({"t": {"BOOL": True}}, 2),
        ({"l": {"L": [{"S": "ab"}, {"S": ""}]}}, 1 + 3 + 3 + 1),
    ],
)
def test_the_size_of_an_item(item: Any, size: int) -> None:
    assert item_bytes(item) == size


@pytest.mark.parametrize(
    ("size", "of", "expected"),
    [
        (0, WRITE_UNIT_BYTES, 1),
        (1024, WRITE_UNIT_BYTES, 1),
        (1025, WRITE_UNIT_BYTES, 2),
        (4096, READ_UNIT_BYTES, 1),
        (4097, READ_UNIT_BYTES, 2),
    ],
)
def test_units_are_whole(size: int, of: int, expected: int) -> None:
    assert units(size, of) == expected


@pytest.mark.parametrize(
    ("used", "dollars"),
    [
        (Usage(invocations=1_000_000), 0.20 + 0.20),  # with 400 bytes of Lambda's own log lines
        (Usage(gb_seconds=75_000), 1.0),
        (Usage(sqs=1_000_000), 0.40),
        (Usage(dynamodb=1_000_000), 0.0),  # its units are billed
        (Usage(read_units=1_000_000), 0.125),
        (Usage(write_units=1_000_000), 0.625),
        (Usage(kms=1_000_000), 3.0),
        (Usage(log_bytes=2_000_000_000), 1.0),
    ],
)
def test_the_price_of_each_kind(used: Usage, dollars: float) -> None:
    assert used.dollars == pytest.approx(dollars, rel=1e-4)


def test_what_was_used_since_and_together() -> None:
    before, after = Usage(sqs=2, kms=1), Usage(sqs=5, kms=1, gb_seconds=0.5)
    assert after - before == Usage(sqs=3, gb_seconds=0.5)
    assert before + (after - before) == after
