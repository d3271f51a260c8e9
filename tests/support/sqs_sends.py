"""A fake of SendMessageBatch as AWS documents it: results by entry, limits, and missing queues."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

Answer = Callable[[str, list[dict[str, str]]], list[str]]
"""Decides, from the queue and the entries of a call, which ids SQS accepts."""


def accept_all(_url: str, entries: list[dict[str, str]]) -> list[str]:
    """SQS accepts every entry."""
    return [entry["Id"] for entry in entries]


class SqsSends:
    """Records the messages sent to each queue. Each call uses the next of `answers`; when none is
    left, every entry is accepted.

    An answer that raises is a call that failed. The limits are those of AWS: 10 entries, distinct
    ids, 1 MiB. Unlike moto, this also refuses characters that AWS refuses.
    """

    def __init__(self, *answers: Answer) -> None:
        self.messages: dict[str, list[str]] = {}
        self.calls: list[tuple[str, int]] = []
        self._answers = list(answers)

    def send_message_batch(
        self, *, QueueUrl: str, Entries: list[dict[str, str]]
    ) -> dict[str, Any]:  # boto's names
        """Send a batch."""
        self.calls.append((QueueUrl, len(Entries)))
        assert 1 <= len(Entries) <= 10
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        assert sum(len(entry["MessageBody"].encode()) for entry in Entries) <= 1024 * 1024
        assert all(entry["MessageBody"].isascii() for entry in Entries)
        answer = self._answers.pop(0) if self._answers else accept_all
        accepted = answer(QueueUrl, Entries)
        queue = self.messages.setdefault(QueueUrl, [])
        queue += [entry["MessageBody"] for entry in Entries if entry["Id"] in accepted]
        refused = [entry["Id"] for entry in Entries if entry["Id"] not in accepted]
        return {
            "Successful": [{"Id": number} for number in accepted],
            "Failed": [{"Id": number, "Code": "InternalError"} for number in refused],
        }


def refuse(code: str) -> Answer:
    """An answer of SQS that refuses the whole call with an error."""

    def answer(_url: str, _entries: list[dict[str, str]]) -> list[str]:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "SendMessageBatch")

    return answer
