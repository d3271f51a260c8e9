"""AWS's own checkers accept the template."""

import os
import subprocess
from pathlib import Path

from tests.template.conftest import ROOT, SAM_TOOLS


def test_sam_accepts_the_template() -> None:
    # A Region is given, so that the machine's configuration does not matter.
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
    """The check above runs before the SAM transform. It misses, for instance, dangling
    references."""
    # W1020: SAM writes Fn::Sub without variables into the stage of its own permissions.
    # W7001: the transform has used up the mapping of deployments.
    # W1033: template.yaml says why it is not checked; SAM leaves that out.
    run = subprocess.run(
        [
            *(
                SAM_TOOLS / "cfn-lint",
                "--regions",
                "us-east-1",
                "--ignore-checks",
                "W1020",
                "W1033",
                "W7001",
            ),
            *("--", translated_file),
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
