"""`make bench` and `make bench-check`: run all measurements, after `make build`.

    python -m bench [--check] [PART…]

Prints each figure, and writes all of them to bench/results.json. With `--check` a part with a
figure over its budget is measured again, and the exit status is 1 when it stays over. When other
work disturbs each time, there is no verdict, and the status is 2. Without PARTs, all are measured.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from bench import arrival, cold_start, console, guard, handlers, memory, sender, signing
from bench.report import Figure, OtherWork, excess, lines

PARTS = {
    "sender": sender.measure,
    "signing": signing.measure,
    "guard": guard.measure,
    "handlers": handlers.measure,
    "cold_start": cold_start.measure,
    "memory": memory.measure,
    "arrival": arrival.measure,
    "console": console.measure,
}
RESULTS = Path(__file__).with_name("results.json")

TRIES = 3
"""Measurements of a part before `--check` fails: noise of a shared machine passes, a slower program
stays."""

VERSIONS = ("boto3", "botocore", "urllib3", "requests", "aws-lambda-powertools", "moto")

Measured = tuple[list[Figure], OtherWork]


def measure(part: str) -> Measured:
    """Measure a part, and print its figures."""
    print(f"{part}", flush=True)
    with OtherWork() as other_work:
        figures = PARTS[part]()
    print(*(f"  {line}" for line in lines(figures, other_work)), sep="\n", flush=True)
    return figures, other_work


def measure_until_good(part: str, tries: int) -> Measured:
    """Measure a part until all of its figures are in their budgets and nothing has disturbed."""
    for _ in range(tries):
        figures, other_work = measure(part)
        if not other_work.is_much and not any(figure.is_over for figure in figures):
            break
    return figures, other_work


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "machine": f"{os.cpu_count()} x {model[1] if model else platform.machine()}",
        "system": platform.platform(),
        "versions": {"python": platform.python_version()}
        | {name: metadata.version(name) for name in VERSIONS},
        "commit": commit,
    }


def results(measured: dict[str, Measured]) -> dict[str, Any]:
    """What is written to results.json."""
    return machine() | {
        "parts": {
            part: {
                "otherWork": round(other_work.cores, 2),
                "figures": [
                    {
                        "name": figure.name,
                        "median": round(figure.median, 4),
                        "spread": round(figure.spread, 4),
                        "rounds": len(figure.samples),
                        "unit": figure.unit,
                        "budget": figure.budget,
                    }
                    for figure in figures
                ],
            }
            for part, (figures, other_work) in measured.items()
        }
    }


def verdict(measured: dict[str, Measured]) -> int:
    """Say what is over its budget, and what has no verdict; the exit status."""
    disturbed = [part for part, (_, other_work) in measured.items() if other_work.is_much]
    over = [
        (part, figure)
        for part, (figures, _) in measured.items()
        for figure in figures
        if part not in disturbed and figure.is_over
    ]
    for part, figure in over:
        print(f"{part}: {figure.name}: {figure.median:.2f}, over by {excess(figure)}")
    for part in disturbed:
        print(f"{part}: no verdict, the machine was busy: run it again when it is not")
    return 1 if over else 2 if disturbed else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--check", action="store_true", help="fail when a figure is over budget")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: no such part; there are {', '.join(PARTS)}")
    tries = TRIES if options.check else 1
    measured = {part: measure_until_good(part, tries) for part in options.parts or PARTS}
    if not options.parts:
        RESULTS.write_text(json.dumps(results(measured), indent=1) + "\n")
    return verdict(measured) if options.check else 0


if __name__ == "__main__":
    sys.exit(main())
