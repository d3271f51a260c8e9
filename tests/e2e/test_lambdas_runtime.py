"""Each built function starts under Lambda's own runtime client, and answers its events."""

import pytest

from local.invoke import WARM_CALLS, Row, event_files, folders, table


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(table())


def test_every_function_has_an_event() -> None:
    assert [folder for folder in folders() if not event_files(folder)] == []


def test_each_function_answers_each_event_cold_and_warm(rows: list[Row]) -> None:
    assert {row.function for row in rows} == set(folders())
    for row in rows:
        assert row.kinds == ["response"] * (1 + WARM_CALLS), row
