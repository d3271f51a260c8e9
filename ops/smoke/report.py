"""The report of a run: its checks, and how each has ended."""

from collections.abc import Callable, Mapping
from typing import Literal

Outcome = Literal["yes", "no", "not reachable"]


class SmokeError(Exception):
    """A check has failed, and those after it make no sense. The text is one line."""


class Report:
    """The checks so far. Each is printed as soon as it is made."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """`say` prints a line."""
        self.say = say
        self._outcomes: dict[str, Outcome] = {}

    def add(self, check: str, outcome: Outcome, details: str = "") -> None:
        """Record a check and what was seen."""
        self._outcomes[check] = outcome
        self.say(f"{outcome:<13} {check}{f': {details}' if details else ''}")

    def judge(self, check: str, is_right: bool, details: str = "") -> None:
        """Record a check that could be made."""
        self.add(check, "yes" if is_right else "no", details)

    def known(self, check: str) -> Outcome | None:
        """How a check that was made before has ended."""
        return self._outcomes.get(check)

    @property
    def failed(self) -> list[str]:
        """The checks that have ended with `no`."""
        return [check for check, outcome in self._outcomes.items() if outcome == "no"]


def one_line(error: Exception) -> str:
    """What an error says. Those of AWS may have several lines."""
    return " ".join(str(error).split())


def listed(values: Mapping[str, object]) -> str:
    """Names and their values, on one line."""
    return ", ".join(f"{name} {value}" for name, value in values.items())
