"""What an outage costs, in virtual time and with the sender's real code.

    python -m tests.outages                the table, and docs/outage.svg        (or `make outage`)
    python -m tests.outages --long         outages that take an hour of CPU
    python -m tests.outages --neighbours   an account of which some connectors hang

Ends with 1 when a goal is missed.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from tests import conftest  # noqa: F401  # the environment that handlers read
from tests.outages import neighbours, outage, picture, table
from tests.outages.goals import missed

Case = TypeVar("Case")
Found = TypeVar("Found")

PROCESSES = 2


def on_all_cores(
    work: Callable[[Case], Found], cases: Sequence[Case], weight: Callable[[Case], float]
) -> list[Found]:
    """The results in the order of the cases; the heaviest are begun first."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        futures = {
            case: pool.submit(work, case) for case in sorted(cases, key=weight, reverse=True)
        }
        return [futures[case].result() for case in cases]


def main() -> int:
    """Run what is asked for, and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.outages")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--neighbours", action="store_true")
    options = parser.parse_args()
    started = time.monotonic()
    failures: Iterable[str]
    if options.neighbours:
        settings = neighbours.SETTINGS
        findings = on_all_cores(neighbours.run, settings, lambda each: each.minutes)
        print(neighbours.HEADER, *(finding.line() for finding in findings), sep="\n")
        failures = [
            f"neighbours notice it: {finding.line()}" for finding in findings if finding.is_missed
        ]
    else:
        cases = table.cases(long=options.long)
        results = on_all_cores(outage.run, cases, lambda case: case.rate * case.outage)
        print(table.HEADER, *(table.row(result) for result in results), sep="\n")
        failures = missed(results)
        if not options.long:
            picture.write([each for each in results if each.case.after])
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"({time.monotonic() - started:.0f} s)")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
