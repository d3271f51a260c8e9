"""How measured figures are shown, and when they fail."""

from collections.abc import Iterable

Row = tuple[str, float, float]
"""A figure's name, its value, and its budget: the largest value allowed."""


def report(rows: Iterable[Row]) -> int:
    """Print the rows; the exit status is 1 when one is over its budget."""
    over = 0
    for name, value, budget in rows:
        verdict = "ok" if value <= budget else "OVER"
        print(f"{name:58} {value:7.2f}  budget {budget:7.2f}  {verdict}", flush=True)
        over |= value > budget
    return int(over)
