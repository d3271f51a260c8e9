"""Answers to Query are read without botocore's parser, with the same result."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from dataconnectors.store.plain_json import use_plain_json

ITEMS = [
    {
        "pk": {"S": "a"},
        "binary": {"B": "AAEC/w=="},
        "number": {"N": "12.5"},
        "labels": {"M": {"B": {"S": 'text "B": in it'}, "empty": {"M": {}}}},
        "list": {"L": [{"B": ""}, {"BOOL": True}, {"NULL": True}]},
    },
    {"pk": {"S": "ä\u2028"}},
]


class Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]


def client(status: int, content: bytes) -> Any:
    session = botocore.session.get_session()
    made: Any = session.create_client("dynamodb", region_name="us-east-1")

    def answer(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, status, HTTPHeaders(), Body(content))

    made.meta.events.register("before-send.dynamodb.*", answer)
    return made


def query(dynamodb: Any) -> Any:
    return dynamodb.query(TableName="t", KeyConditionExpression="pk = :a")


@pytest.mark.parametrize("items", [ITEMS, ITEMS[1:], []])
@pytest.mark.parametrize("rest", [{}, {"LastEvaluatedKey": {"pk": {"S": "a"}}}])
def test_an_answer_is_read_as_by_botocores_own_parser(
    items: list[Any], rest: dict[str, Any]
) -> None:
    content = json.dumps({"Items": items, "Count": len(items), "ScannedCount": 9} | rest).encode()
    expected = query(client(200, content))
    assert query(use_plain_json(client(200, content))) == expected


def test_errors_are_raised_as_by_botocore() -> None:
    content = json.dumps({"__type": "x#ValidationException", "message": "no"}).encode()
    with pytest.raises(ClientError, match="ValidationException"):
        query(use_plain_json(client(400, content)))


def test_answers_of_other_operations_are_parsed_by_botocore() -> None:
    content = json.dumps({"Item": {"secret": {"B": "AAEC"}}}).encode()
    answer = use_plain_json(client(200, content)).get_item(TableName="t", Key={"pk": {"S": "a"}})
    assert answer["Item"] == {"secret": {"B": b"\x00\x01\x02"}}
