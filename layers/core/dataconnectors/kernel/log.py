"""What our code needs of a logger. Powertools' and the standard library's both have it."""

from collections.abc import Mapping
from typing import Any, Protocol


class Log(Protocol):
    """Writes one line for each unit of work; `extra` holds its fields."""

    def info(self, message: str, /, *, extra: Mapping[str, Any]) -> None:
        """Something expected."""

    def error(self, message: str, /, *, extra: Mapping[str, Any], exc_info: Any = None) -> None:
        """Something that we have to look at."""
