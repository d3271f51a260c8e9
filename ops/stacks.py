"""Deployed stacks: their names, from samconfig.toml, and their outputs, from AWS.

python3 -m ops.stacks dev      prints the stack's name; fails for an unknown environment
"""

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SAMCONFIG = Path(__file__).parents[1] / "samconfig.toml"

SAM_NAMES = {"dev": "default"}
"""The names that SAM has for an environment, where they differ from ours."""


class StackError(Exception):
    """A stack does not exist, or is not one of ours. The text says which one, and what to do."""


def stack_name(environment: str, samconfig: Mapping[str, Any]) -> str:
    """The name of the stack of an environment; raises `StackError` for an unknown environment.

    SAM itself accepts a misspelt environment silently, and deploys with defaults.
    """
    ours = {sam_name: name for name, sam_name in SAM_NAMES.items()}
    names = {ours.get(table, table): table for table in samconfig if table != "version"}
    if environment not in names:
        raise StackError(
            f"ENV is '{environment}', expected {' or '.join(names)}: a table of samconfig.toml"
        )
    return str(samconfig[names[environment]]["global"]["parameters"]["stack_name"])


def outputs(cloudformation: Any, stack: str) -> dict[str, str] | None:
    """The outputs of a stack; None when it does not exist. `cloudformation` is a boto3 client."""
    try:
        answer = cloudformation.describe_stacks(StackName=stack)
    except cloudformation.exceptions.ClientError as error:
        # CloudFormation has no separate error for a stack that does not exist.
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return {
        item["OutputKey"]: item["OutputValue"] for item in answer["Stacks"][0].get("Outputs", [])
    }


def main() -> int:
    """Print the stack's name."""
    try:
        print(stack_name(sys.argv[1], tomllib.loads(SAMCONFIG.read_text())))
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
