"""What pip-audit and npm found is told, and above all what they did not look at."""

import json
from pathlib import Path
from typing import Any

import pytest

from ops import audit
from ops.audit import asked, of_npm, of_pip

LOCK = Path("lock.txt")
NPM_TOTAL = {"metadata": {"dependencies": {"total": 7}}}


def fine(name: str) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": []}


BAD = fine("bad") | {"vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1", "2.0"]}]}
SKIPPED = {"name": "lost", "skip_reason": "not found on PyPI"}


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        ({"dependencies": [fine("a")]}, ["lock.txt: 1 packages, no known vulnerability"]),
        ({"dependencies": [BAD]}, ["VULNERABLE lock.txt: bad 1.0: PYSEC-1, fixed in 1.1, 2.0"]),
        (
            {"dependencies": [fine("a"), SKIPPED, BAD]},
            [
                "NOT CHECKED lock.txt: 1 of 3 packages, for instance: not found on PyPI",
                "VULNERABLE lock.txt: bad 1.0: PYSEC-1, fixed in 1.1, 2.0",
            ],
        ),
        ("", ["NOT CHECKED lock.txt: pip-audit did not reach its data: no answer"]),
        ([], ["NOT CHECKED lock.txt: pip-audit did not reach its data: no answer"]),
    ],
)
def test_packages_that_could_not_be_asked_for_are_not_fine(output: Any, lines: list[str]) -> None:
    text = output if isinstance(output, str) else json.dumps(output)
    assert list(of_pip(LOCK, text).lines()) == lines


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        (NPM_TOTAL | {"vulnerabilities": {}}, ["lock.txt: 7 packages, no known vulnerability"]),
        (
            NPM_TOTAL | {"vulnerabilities": {"bad": {"range": "<2", "severity": "high"}}},
            ["VULNERABLE lock.txt: bad <2: high"],
        ),
        (
            {"message": "405 Method\nNot Allowed"},
            ["NOT CHECKED lock.txt: npm did not reach its data: 405 Method Not Allowed"],
        ),
        ("oops", ["NOT CHECKED lock.txt: npm did not reach its data: no answer"]),
    ],
)
def test_npm_that_did_not_reach_its_data_found_nothing(output: Any, lines: list[str]) -> None:
    text = output if isinstance(output, str) else json.dumps(output)
    assert list(of_npm(LOCK, text).lines()) == lines


def test_the_reason_is_the_last_line_of_what_it_says() -> None:
    errors = "Traceback\n  of something\nServiceError: Tunnel\tfailed\n"
    (line,) = of_pip(LOCK, "", errors).lines()
    assert line.endswith("pip-audit did not reach its data: ServiceError: Tunnel failed")


def test_a_service_that_does_not_answer_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "TIMEOUT_S", 0.01)
    output, errors = asked(("sleep", "5"), tmp_path)
    (line,) = of_npm(LOCK, output, errors).lines()
    assert line == "NOT CHECKED lock.txt: npm did not reach its data: no answer within 0.01 s"
