"""Addresses that cannot be guessed, and the requests that make and change them."""

from typing import Any

import pytest

from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.tryouts.try_out import (
    ENTROPY_BYTES,
    TryOut,
    TryOutAnswer,
    new_try_out_id,
    parse_answer,
    parse_path_name,
)

ID = new_try_out_id(bytes(range(ENTROPY_BYTES)))


def test_an_id_has_all_of_its_entropy() -> None:
    ids = {new_try_out_id(bytes([*range(19), last])) for last in range(256)}
    assert len(ids) == 256
    assert {len(each) for each in ids} == {32}
    with pytest.raises(ValueError, match="19 bytes"):
        new_try_out_id(bytes(19))


def test_the_name_in_a_path_leads_back_to_the_address() -> None:
    try_out = TryOut("my_project-1", ID, TryOutAnswer.OK, 0.0, 1.0)
    assert try_out.path == f"/try/my_project-1.{ID}"
    assert try_out.to_api("h:8000")["url"] == f"https://h:8000/try/my_project-1.{ID}"
    assert parse_path_name(try_out.path.rpartition("/")[2]) == ("my_project-1", ID)


@pytest.mark.parametrize(
    "name", ["", ".", ID, f".{ID}", f"p.{ID}0", f"p.{ID[:-1]}", f"p.{ID.upper()}", f"p.{ID}\n"]
)
def test_another_name_leads_nowhere(name: str) -> None:
    assert parse_path_name(name) == ("", "")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, TryOutAnswer.SLOW),
        ({"answer": None}, TryOutAnswer.SLOW),
        ({"answer": "500"}, TryOutAnswer.ERROR),
        ({"answer": "200", "name": "n", "url": "u", "deliveries": []}, TryOutAnswer.OK),
    ],
)
def test_a_request_sets_the_answer_or_keeps_it(body: Any, answer: TryOutAnswer) -> None:
    assert parse_answer(body, TryOutAnswer.SLOW) is answer


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"answer": 500}, "answer: expected one of the texts 200, 500, SLOW"),
        ({"answer": []}, "answer: expected one of the texts 200, 500, SLOW"),
        ({"answer": "404"}, "answer: expected one of the texts 200, 500, SLOW"),
        ({"status": "500"}, "'status': unknown field, expected answer"),
        ([], "body: expected a JSON object"),
    ],
)
def test_a_wrong_request_is_refused_with_what_was_expected(body: Any, text: str) -> None:
    with pytest.raises(BadRequestError, match=text):
        parse_answer(body, TryOutAnswer.OK)
