"""An administrator, for whoever may invoke functions of the stack.

    python -m ops.admin --stack NAME [--region REGION] [--project NAME | --join PROJECT_ID]
        [--organization-admin] > credentials.json

Of a new project, or of one to join; the first of a deployment, and whoever is asked for,
administers the organization too. Standard output is a credentials file of the vendor's SDK; its
secret is shown this once.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import boto3

from ops.aws import explained
from ops.stacks import StackError, outputs


def make_administrator(
    session: Any, stack: str, project: str, join: str = "", *, organization_admin: bool = False
) -> dict[str, Any]:
    """Make a service account that administers a new project called `project`, or `join`, by its id.

    Answers `{"project": its id, "serviceAccount": {…}}`. Raises `StackError` when the stack has no
    such function, or the function fails.
    """
    known = outputs(session.client("cloudformation"), stack)
    if known is None:
        raise StackError(f"there is no stack {stack} in {session.region_name}: deploy it first")
    if not {"AdminFunctionName", "TokenEndpoint"} <= known.keys():
        raise StackError(f"the stack {stack} is not one of Data Connectors")
    answer = session.client("lambda").invoke(
        FunctionName=known["AdminFunctionName"],
        Payload=json.dumps(
            {
                "displayName": project,
                "project": join,
                "organizationAdmin": organization_admin,
                "tokenEndpoint": known["TokenEndpoint"],
            }
        ).encode(),
    )
    result = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        raise StackError(f"{known['AdminFunctionName']} failed: {result}")
    made: dict[str, Any] = json.loads(result)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the credentials; the project's id goes to standard error."""
    parser = argparse.ArgumentParser(prog="python -m ops.admin")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--region", help="the one of the AWS configuration when absent")
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--project", default="First project", metavar="NAME", help="display name of a new one"
    )
    place.add_argument("--join", default="", metavar="PROJECT_ID", help="one that is there")
    parser.add_argument(
        "--organization-admin", action="store_true", help="administers the organization too"
    )
    options = parser.parse_args(arguments)
    try:
        with explained():
            made = make_administrator(
                boto3.Session(region_name=options.region),
                options.stack,
                options.project,
                options.join,
                organization_admin=options.organization_admin,
            )
    except StackError as error:
        print(f"admin: {error}", file=sys.stderr)
        return 1
    print(f"project {made['project']}", file=sys.stderr)
    print(json.dumps({"serviceAccount": made["serviceAccount"]}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
