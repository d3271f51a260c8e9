"""Makes an administrator of a project. It takes the right to invoke functions of the stack.

    python -m ops.admin --stack NAME [--region REGION] [--project NAME | --join PROJECT_ID]
        [--organization-admin] > credentials.json

The administrator gets a new project, or joins the existing one PROJECT_ID. The first administrator
of a deployment also administers the organization; later ones do so with --organization-admin.
Standard output is a credentials file of the vendor's SDK. Its secret is not shown again.
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
    """Make a service account that administers a project.

    The project is a new one with the display name `project`, or the existing one with the id
    `join`. Answers `{"project": id, "serviceAccount": {…}}`. Raises `StackError` when the stack has
    no admin function, or the function fails.
    """
    stack_outputs = outputs(session.client("cloudformation"), stack)
    if stack_outputs is None:
        raise StackError(f"there is no stack {stack} in {session.region_name}: deploy it first")
    if not {"AdminFunctionName", "TokenEndpoint"} <= stack_outputs.keys():
        raise StackError(f"the stack {stack} is not one of Data Connectors")
    answer = session.client("lambda").invoke(
        FunctionName=stack_outputs["AdminFunctionName"],
        Payload=json.dumps(
            {
                "displayName": project,
                "project": join,
                "organizationAdmin": organization_admin,
                "tokenEndpoint": stack_outputs["TokenEndpoint"],
            }
        ).encode(),
    )
    result = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        raise StackError(f"{stack_outputs['AdminFunctionName']} failed: {result}")
    administrator: dict[str, Any] = json.loads(result)
    return administrator


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the credentials to standard output, and the project's id to standard error."""
    parser = argparse.ArgumentParser(prog="python -m ops.admin")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--region", help="default: that of the AWS configuration")
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--project", default="First project", metavar="NAME", help="display name of a new project"
    )
    place.add_argument("--join", default="", metavar="PROJECT_ID", help="id of an existing one")
    parser.add_argument(
        "--organization-admin", action="store_true", help="let it administer the organization too"
    )
    options = parser.parse_args(arguments)
    try:
        with explained():
            administrator = make_administrator(
                boto3.Session(region_name=options.region),
                options.stack,
                options.project,
                options.join,
                organization_admin=options.organization_admin,
            )
    except StackError as error:
        print(f"admin: {error}", file=sys.stderr)
        return 1
    print(f"project {administrator['project']}", file=sys.stderr)
    print(json.dumps({"serviceAccount": administrator["serviceAccount"]}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
