"""A fake of ChangeMessageVisibilityBatch as AWS documents it; a test chooses how it fails."""

from types import SimpleNamespace
from typing import Any


class Sqs:
    """`visibility` has the timeout in seconds by receipt handle. Handles in `refused` fail with a
    code in a successful answer. Every call raises `error` if it is set."""

    def __init__(
        self, refused: dict[str, str] | None = None, error: Exception | None = None
    ) -> None:
        self.meta = SimpleNamespace(endpoint_url="https://sqs.eu-west-1.amazonaws.com")
        self.calls: list[str] = []
        self.visibility: dict[str, int] = {}
        self.refused = refused or {}
        self.error = error

    def change_message_visibility_batch(
        self, *, QueueUrl: str, Entries: list[dict[str, Any]]
    ) -> dict[str, Any]:
        assert 1 <= len(Entries) <= 10
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        self.calls.append(QueueUrl)
        if self.error is not None:
            raise self.error
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in Entries:
            handle, seconds = entry["ReceiptHandle"], entry["VisibilityTimeout"]
            assert type(seconds) is int
            assert 0 <= seconds <= 43_200
            if handle in self.refused:
                failed = {"Id": entry["Id"], "SenderFault": True, "Code": self.refused[handle]}
                answer["Failed"].append(failed)
            else:
                self.visibility[handle] = seconds
                answer["Successful"].append({"Id": entry["Id"]})
        return {name: entries for name, entries in answer.items() if entries}
