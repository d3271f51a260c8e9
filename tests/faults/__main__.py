"""A long run, or the mutants' table.

    python -m tests.faults --seed 1 --events 1000000
    python -m tests.faults --mutants

Exits with 1 when an event was lost, a promise was broken, or a mutant survived.
"""

import argparse
import sys

from tests import conftest  # noqa: F401  # the environment that handlers read


def main() -> int:
    """Run a scenario, or try the mutants."""
    from tests.faults import mutants
    from tests.faults.world import Scenario, run

    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--intensity", type=float, default=1.0, help="of faults; 1 is usual")
    parser.add_argument("--gone", choices=["disables", "fails"], help="endpoints that answer 410")
    parser.add_argument("--kinds", action="store_true", help="list the faults by kind")
    parser.add_argument("--mutants", action="store_true", help="try them, and print their table")
    arguments = parser.parse_args()
    if arguments.mutants:
        verdicts = [mutants.try_out(mutant) for mutant in mutants.MUTANTS]
        print(mutants.table(verdicts))
        return 0 if all(verdict.is_caught for verdict in verdicts) else 1
    report = run(
        Scenario(arguments.seed, arguments.events, arguments.intensity, gone=arguments.gone)
    )
    if arguments.kinds:
        for kind, count in report.injected.items():
            print(f"{count:9d}  {kind}")
        for kind in report.unkilled:
            print(f"        -  {kind}")
    for violation in report.violations:
        print(violation, file=sys.stderr)
    print(report.line())
    return 1 if report.lost or report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
