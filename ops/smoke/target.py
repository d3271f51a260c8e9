"""The stack that a run looks at, on AWS or on this machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from ops.local_stack import LocalAws, running_in
from ops.stacks import StackError, outputs


class Target:
    """A stack to look at: its name, its API, and the calls that lead to AWS or the emulator."""

    def __init__(self, name: str, session: Any, api: str, token: str, *, is_local: bool) -> None:
        """`session` has boto3's clients; `api` and `token` are the URLs of API and token endpoint.

        The API's ends in `/v2`.
        """
        self.name = name
        self.session = session
        self.api = api
        self.token = token
        self.is_local = is_local

    @classmethod
    def on_aws(cls, stack: str, region: str | None) -> "Target":
        """The deployed stack; raises `StackError` when there is none."""
        session: Any = boto3.Session(region_name=region)
        found = outputs(session.client("cloudformation"), stack)
        if found is None:
            raise StackError(f"there is no stack {stack} in {session.region_name}: deploy it first")
        if not {"ApiUrl", "TokenEndpoint"} <= found.keys():
            raise StackError(f"the stack {stack} is not one of Data Connectors")
        return cls(stack, session, found["ApiUrl"], found["TokenEndpoint"], is_local=False)

    @classmethod
    def local(cls, state_dir: Path) -> "Target":
        """The stack of the `make run` with this state directory."""
        running = running_in(state_dir)
        aws = LocalAws(running)
        return cls(running["stack"], aws, running["api"], running["token"], is_local=True)

    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs. There are none when it was deleted a moment ago."""
        return outputs(self.session.client("cloudformation"), self.name) or {}

    def resources(self, kind: str) -> Mapping[str, str]:
        """The physical ids of the stack's resources of a type, by their names in the template."""
        pages = self.session.client("cloudformation").get_paginator("list_stack_resources")
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for page in pages.paginate(StackName=self.name)
            for each in page["StackResourceSummaries"]
            if each["ResourceType"] == kind and each.get("PhysicalResourceId")
        }
