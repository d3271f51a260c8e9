"""How a queue message is written, and which texts are refused as one."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataconnectors.events.message import RESEND, TEST, VERSION, Message
from dataconnectors.kernel.errors import MessageError

MESSAGE = Message("projects/p/dataconnectors/c", 3, "e1", 1_790_000_000_123, '{"a":"ü"}')


def fields(**changes: Any) -> str:
    return json.dumps(json.loads(MESSAGE.to_text()) | changes)


def test_a_message_is_written_as_documented() -> None:
    assert MESSAGE.to_text() == (
        '{"v":1,"connector":"projects/p/dataconnectors/c","epoch":3,"eventId":"e1",'
        '"acceptedAt":1790000000123,"body":"{\\"a\\":\\"\\u00fc\\"}"}'
    )


@pytest.mark.parametrize("origin", [TEST, RESEND])
def test_a_message_that_somebody_asked_for_says_so(origin: str) -> None:
    asked = replace(MESSAGE, origin=origin)
    assert asked.to_text() == MESSAGE.to_text()[:-1] + f',"origin":"{origin}"}}'
    assert Message.from_text(asked.to_text()) == asked


@pytest.mark.parametrize("origin", ["", "later", None, 7, ["test"]])
def test_an_unknown_origin_of_a_later_release_is_like_none(origin: Any) -> None:
    assert Message.from_text(fields(origin=origin)) == MESSAGE


@given(st.text(st.characters(codec="utf-8")), st.integers(0, 10**15))
def test_any_body_survives_as_text_that_sqs_accepts(body: str, number: int) -> None:
    message = Message("projects/p/dataconnectors/c", number, "e", number, body)
    text = message.to_text()
    assert text.isascii()
    assert text.isprintable()
    assert Message.from_text(text) == message


@pytest.mark.parametrize("version", [VERSION, VERSION + 1])
def test_a_message_of_the_next_version_is_read_with_its_additional_fields(version: int) -> None:
    assert Message.from_text(fields(v=version, later="x")) == MESSAGE


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON"),
        ("hello", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ("{}", "message version None"),
        (fields(v=0), "message version 0"),
        (fields(v=VERSION + 2), "message version 3: this code reads 1 to 2"),
        (fields(v="1"), "message version '1'"),
        (fields(v=True), "message version True"),
        (fields(v=1.0), "message version 1.0"),
        (fields(connector=None), "connector is missing or not of type str"),
        (fields(epoch="3"), "epoch is missing or not of type int"),
        (fields(epoch=True), "epoch is missing or not of type int"),
        (fields(eventId=7), "eventId is missing or not of type str"),
        (fields(eventId=""), "eventId is not 1 to 300 ASCII characters"),
        (fields(eventId="e" * 301), "eventId is not 1 to 300 ASCII characters"),
        (fields(eventId="\ud800"), "eventId is not 1 to 300 ASCII characters"),
        (fields(connector="projects/p/dataconnectors/" + "c" * 2000), "connector is not 1 to 300"),
        (fields(connector="projects/p/dataconnectors/c\n"), "connector is not 1 to 300"),
        (fields(acceptedAt=1.5), "acceptedAt is missing or not of type int"),
        (fields(body={"private": 1}), "body is missing or not of type str"),
    ],
)
def test_a_text_that_is_not_a_message_is_refused_without_quoting_it(
    text: str, problem: str
) -> None:
    with pytest.raises(MessageError, match=problem) as caught:
        Message.from_text(text)
    assert "private" not in str(caught.value)
    assert len(str(caught.value)) < 100
