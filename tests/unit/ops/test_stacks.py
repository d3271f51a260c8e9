"""The names of stacks, and how a stack gets its first administrator."""

import io
import json
import tomllib
from typing import Any

import boto3
import pytest

from ops import admin
from ops.admin import make_administrator
from ops.stacks import SAMCONFIG, StackError, stack_name

SAM = tomllib.loads(SAMCONFIG.read_text())
OUTPUTS = {"AdminFunctionName": "dc-admin", "TokenEndpoint": "https://api/v2/oauth2/token"}
MADE = {"project": "p1", "serviceAccount": {"keyId": "k", "secret": "s"}}


class MissingError(Exception):
    """CloudFormation's answer for a stack that does not exist."""

    response = {"Error": {"Code": "ValidationError"}}  # noqa: RUF012  # as botocore's


class FakeAws:
    """A fake of the session, CloudFormation and Lambda. Its only stack is `dc`, with `outputs`."""

    region_name = "eu-north-1"

    class exceptions:  # As a boto3 client's
        ClientError = MissingError

    def __init__(self, outputs: dict[str, str], answer: dict[str, Any]) -> None:
        self._outputs = outputs
        self._answer = answer
        self.invoked: list[tuple[str, Any]] = []

    def client(self, _service: str) -> "FakeAws":
        return self

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        if StackName != "dc":
            raise MissingError
        items = [{"OutputKey": k, "OutputValue": v} for k, v in self._outputs.items()]
        return {"Stacks": [{"Outputs": items}]}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.invoked.append((FunctionName, json.loads(Payload)))
        return self._answer


def answer(value: object, **more: str) -> dict[str, Any]:
    return {"Payload": io.BytesIO(json.dumps(value).encode()), **more}


@pytest.mark.parametrize(
    ("environment", "name"), [("dev", "dataconnectors-dev"), ("prod", "dataconnectors")]
)
def test_an_environment_has_a_stack(environment: str, name: str) -> None:
    assert stack_name(environment, SAM) == name


@pytest.mark.parametrize("environment", ["", "prd", "default", "version"])
def test_an_invalid_environment_is_refused(environment: str) -> None:
    with pytest.raises(StackError, match=f"ENV is '{environment}', expected dev or prod"):
        stack_name(environment, SAM)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("", {"displayName": "First project"}),
        ("--project Freezers", {"displayName": "Freezers"}),
        ("--organization-admin", {"displayName": "First project", "organizationAdmin": True}),
        ("--join p1 --organization-admin", {"project": "p1", "organizationAdmin": True}),
    ],
)
def test_the_administrator_is_created_by_the_stacks_function(
    options: str,
    wanted: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws = FakeAws(OUTPUTS, answer(MADE))
    monkeypatch.setattr(boto3, "Session", lambda **_: aws)
    assert admin.main(["--stack", "dc", *options.split()]) == 0
    ((function, payload),) = aws.invoked
    assert function == "dc-admin"
    assert payload["tokenEndpoint"] == "https://api/v2/oauth2/token"
    assert payload.items() >= ({"project": "", "organizationAdmin": False} | wanted).items()
    output, errors = capsys.readouterr()
    assert json.loads(output) == {"serviceAccount": MADE["serviceAccount"]}
    assert errors == "project p1\n"


def test_a_new_project_and_a_project_to_join_exclude_each_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        admin.main(["--stack", "dc", "--project", "New", "--join", "p1"])
    assert "--join: not allowed with argument --project" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stack", "outputs", "function_answer", "message"),
    [
        ("other", OUTPUTS, answer(MADE), "there is no stack other in eu-north-1"),
        ("dc", {}, answer(MADE), "the stack dc is not one of Data Connectors"),
        ("dc", OUTPUTS, answer("why", FunctionError="Unhandled"), 'dc-admin failed: "why"'),
    ],
)
def test_an_error_names_the_stack_and_the_reason(
    stack: str, outputs: dict[str, str], function_answer: dict[str, Any], message: str
) -> None:
    with pytest.raises(StackError, match=message):
        make_administrator(FakeAws(outputs, function_answer), stack, "")
