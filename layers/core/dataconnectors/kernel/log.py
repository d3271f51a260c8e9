"""What our code needs of a logger; those of Powertools and of the standard library both have it."""

from collections.abc import Mapping
from typing import Any, Protocol


class Log(Protocol):
    """Writes one line for each unit of work. `extra` holds the line's fields."""

    def info(self, message: str, /, *, extra: Mapping[str, Any]) -> None:
        """Log something that is expected."""

    def error(self, message: str, /, *, extra: Mapping[str, Any], exc_info: Any = None) -> None:
        """Log something that an operator has to look at."""
