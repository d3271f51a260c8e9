"""Each built function starts under Lambda's own runtime client, and answers its events."""

import pytest

from local.invoke import WARM_CALLS, Row, event_files, folders, table

STATUSES = {
    "config_api_errors_page.json": 200,
    "config_api_unknown_key.json": 401,  # after the table was asked for the key
    "console.json": 200,
    "ingest_events.json": 401,
    "ingest_unknown_key.json": 401,
    "try_out.json": 404,
}
"""What is answered to the events of requests. Other answers have no status."""


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(table())


def test_every_function_has_an_event() -> None:
    assert [folder for folder in folders() if not event_files(folder)] == []


def test_each_function_answers_each_event_cold_and_warm(rows: list[Row]) -> None:
    assert {row.function for row in rows} == set(folders())
    for row in rows:
        status = STATUSES.get(row.file)
        end = f"response {status}" if status else "response"
        assert row.ends == [end] * (1 + WARM_CALLS), row
    assert STATUSES.keys() <= {row.file for row in rows}
