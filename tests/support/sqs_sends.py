"""SendMessageBatch as AWS documents it: per-entry results, limits, missing queues."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

Answer = Callable[[str, list[dict[str, str]]], list[str]]
"""What SQS does with a call, from its queue and entries: the ids that it accepts."""


def accept_all(_url: str, entries: list[dict[str, str]]) -> list[str]:
    """SQS on a good day."""
    return [entry["Id"] for entry in entries]


class SqsSends:
    """Keeps what was sent to each queue. `answers` are used up call by call, then all is accepted.

    An answer that raises is a call that failed. Limits are AWS's: 10 entries, distinct ids,
    1 MiB; moto does not refuse characters that AWS refuses, this does.
    """

    def __init__(self, *answers: Answer) -> None:
        self.messages: dict[str, list[str]] = {}
        self.calls: list[tuple[str, int]] = []
        self._answers = list(answers)

    def send_message_batch(
        self, *, QueueUrl: str, Entries: list[dict[str, str]]
    ) -> dict[str, Any]:  # boto's names
        """One call."""
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
    """SQS answers the whole call with an error."""

    def answer(_url: str, _entries: list[dict[str, str]]) -> list[str]:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "SendMessageBatch")

    return answer
