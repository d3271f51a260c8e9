"""SNS, which accepts notices for a topic."""

from tests.faults.models.errors import refusal

SUBJECT = 100
"""AWS: a subject has fewer characters, which are printable ASCII."""


class Sns:
    """An account's topics. `taken` has the notices."""

    name = "sns"

    def __init__(self) -> None:
        self.taken: list[str] = []

    def publish(self, *, TopicArn: str, Subject: str, Message: str) -> dict[str, str]:
        """Accept a notice."""
        if not (0 < len(Subject) < SUBJECT and Subject.isascii() and Subject.isprintable()):
            raise refusal("InvalidParameter", "Publish", Subject)
        self.taken.append(Message)
        return {"MessageId": str(len(self.taken))}
