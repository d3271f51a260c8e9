"""Ids: 20 characters, ordered by time."""

import re

import pytest

from dataconnectors.kernel.ids import new_id


def test_an_id_has_twenty_characters_and_keeps_the_order_of_seconds() -> None:
    ids = [new_id(second, bytes([255 - second % 256] * 8)) for second in range(0, 4000, 7)]
    assert all(re.fullmatch("[0-9a-v]{20}", identifier) for identifier in ids)
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_too_little_entropy_is_refused() -> None:
    with pytest.raises(ValueError, match="7 bytes"):
        new_id(1, bytes(7))
