"""What happens at thousands of connectors and of events a second, in virtual time.

python -m tests.scale            the tables of docs/scaling.md, and docs/arrival.svg
                                 (or `make scale`)
python -m tests.scale WORD...    only scenarios whose name has one of the words
"""

import sys

from tests import conftest  # noqa: F401  # the environment that handlers read
from tests.outages.__main__ import on_all_cores
from tests.scale import control_plane, picture, scenarios, table


def main(words: list[str]) -> None:
    """Run what is asked for, and print it."""
    places = [
        place
        for place, scenario in enumerate(scenarios.SCENARIOS)
        if not words or any(word in scenario.name for word in words)
    ]
    results = on_all_cores(table.shown_at, places, float)  # the last are the longest
    print(table.HEADER)
    for result in results:
        print(*result.rows, sep="\n")
    if not words:
        print()
        print(control_plane.HEADER, *map(control_plane.row, (10, 1000, 100_000)), sep="\n")
        curves = [result.curve for result in results if result.curve]
        picture.PICTURE.write_text(picture.draw(curves))
    print(f"({sum(result.cpu for result in results):.0f} s of CPU)")


if __name__ == "__main__":
    main(sys.argv[1:])
