"""`make permissions`: prints what fails without each part of each function's policies.

Each line has the function, the part, its statement, and a recorded call that is denied without it.
"""

import json
import sys
from collections import Counter

import tests.conftest  # noqa: F401  # names the stack's resources in the environment
from tests.permissions import recorder
from tests.permissions.calls import ACCOUNT, REGION, Permission
from tests.permissions.matrix import Matrix, evaluate
from tests.permissions.stack import Stack
from tests.template.conftest import translated


def short(permission: Permission) -> str:
    """A permission without what is the same in all of them."""
    service = permission.action.partition(":")[0]
    return str(permission).replace(f"arn:aws:{service}:{REGION}:{ACCOUNT}:", "")


def report(matrix: Matrix) -> str:
    """The matrix as text: for each function and part of its policies, a call that fails without."""
    lines = []
    width = max(len(f"{each.folder} {each.part}") for each in matrix.removals)
    for each in matrix.removals:
        fails = short(each.denied[0]) if each.denied else "NOTHING FAILS"
        more = f"  (and {len(each.denied) - 1} more)" if len(each.denied) > 1 else ""
        what = f"{each.folder} {each.part}"
        lines.append(f"{what:<{width}}  - {each.statement}: {fails}{more}")
    lines.append("")
    by_function = Counter(need.folder for need, _ in matrix.needs)
    removed = Counter(each.folder for each in matrix.removals)
    denied = Counter(folder for folder, _, _ in matrix.refused)
    for folder in sorted(by_function):
        lines.append(
            f"{folder}: {by_function[folder]} needs, {removed[folder]} removals, "
            f"{denied[folder]} refusals"
        )
    lines.append(
        f"permissions: functions={len(by_function)} needs={len(matrix.needs)} "
        f"allowed={sum(is_allowed for _, is_allowed in matrix.needs)} "
        f"removals={len(matrix.removals)} "
        f"unneeded={sum(not each.denied for each in matrix.removals)} "
        f"refusals={len(matrix.refused)} "
        f"denied={sum(not is_allowed for _, _, is_allowed in matrix.refused)}"
    )
    return "\n".join([*lines, *(f"WRONG: {mistake}" for mistake in matrix.mistakes())])


def main() -> int:
    """Print the matrix; 1 when anything is wrong."""
    matrix = evaluate(Stack(json.loads(translated())), recorder.read())
    print(report(matrix))
    return 1 if matrix.mistakes() else 0


if __name__ == "__main__":
    sys.exit(main())
