"""What AWS's own checkers say about the template."""

import os
import subprocess
from pathlib import Path

from tests.template.conftest import ROOT, SAM_TOOLS


def test_sam_finds_the_template_valid() -> None:
    # A Region, so that the machine's own configuration decides nothing.
    env = os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    run = subprocess.run(
        [SAM_TOOLS / "sam", "validate", "--lint"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_cfn_lint_finds_nothing_in_the_translated_template(translated_file: Path) -> None:
    """The check above does not see a reference to nothing, for instance: it lints before SAM."""
    # W1020: SAM writes Fn::Sub without variables into the stage of its own permissions.
    run = subprocess.run(
        [
            *(SAM_TOOLS / "cfn-lint", "--regions", "us-east-1", "--ignore-checks", "W1020"),
            *("--", translated_file),
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
