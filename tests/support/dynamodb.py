"""A client of moto's DynamoDB whose calls are counted, and which a test can let fail."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

Answer = Callable[..., Any]


class Watched:
    """A DynamoDB client that counts calls by name. `answers` replaces answers by name, in turn.

    An answer is called with the request. If it returns None, the call goes to moto.
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls: Counter[str] = Counter()
        self.answers: dict[str, list[Answer]] = {}

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.client, name)
        if name in ("meta", "get_paginator"):
            return real

        def call(**request: Any) -> Any:
            self.calls[name] += 1
            waiting = self.answers.get(name, [])
            answer = waiting.pop(0)(**request) if waiting else None
            return real(**request) if answer is None else answer

        return call


def fail(code: str) -> Answer:
    """An answer of DynamoDB with an error."""

    def answer(**_request: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "Call")

    return answer
