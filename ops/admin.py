"""The first administrator of a new project, for whoever may invoke functions of the stack.

    python -m ops.admin --stack NAME [--region REGION] [--project NAME] > credentials.json

Standard output is a credentials file of the vendor's SDK; its secret is shown this once. Each call
makes another project.
"""

import argparse
import json
import sys
from typing import Any

import boto3

from ops.stacks import StackError, outputs


def make_administrator(session: Any, stack: str, project: str) -> dict[str, Any]:
    """Make a project called `project`: its id and its administrator's service account.

    Raises `StackError` when the stack has no such function, or the function fails.
    """
    known = outputs(session.client("cloudformation"), stack)
    if known is None:
        raise StackError(f"there is no stack {stack} in {session.region_name}: deploy it first")
    if not {"AdminFunctionName", "TokenEndpoint"} <= known.keys():
        raise StackError(f"the stack {stack} is not one of Data Connectors")
    answer = session.client("lambda").invoke(
        FunctionName=known["AdminFunctionName"],
        Payload=json.dumps(
            {"displayName": project, "tokenEndpoint": known["TokenEndpoint"]}
        ).encode(),
    )
    result = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        raise StackError(f"{known['AdminFunctionName']} failed: {result}")
    made: dict[str, Any] = json.loads(result)
    return made


def main() -> int:
    """Print the credentials; the project's id goes to standard error."""
    parser = argparse.ArgumentParser(prog="python -m ops.admin")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--region", help="the one of the AWS configuration when absent")
    parser.add_argument("--project", default="First project", help="its display name")
    options = parser.parse_args()
    session = boto3.Session(region_name=options.region)
    try:
        made = make_administrator(session, options.stack, options.project)
    except StackError as error:
        print(f"admin: {error}", file=sys.stderr)
        return 1
    print(f"project {made['project']}", file=sys.stderr)
    print(json.dumps({"serviceAccount": made["serviceAccount"]}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
