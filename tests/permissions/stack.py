"""The translated template's policies, with the names of the tests' stack in place of references.

All conditions hold, so policies have all their optional parts. Names that functions get in their
environment are those of tests/conftest.py; others are made up.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.permissions.calls import ACCOUNT, KEY, REGION, TOPIC, arn
from tests.permissions.evaluator import Policy
from tests.support import aws

BASIC_EXECUTION = "AWSLambdaBasicExecutionRole"
VPC_ACCESS = "AWSLambdaVPCAccessExecutionRole"
TRACING = "AWSXRayDaemonWriteAccess"

_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


def _allowing(*actions: str) -> Policy:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
    }


MANAGED: Mapping[str, Policy] = {
    BASIC_EXECUTION: _allowing(*_LOGS),
    VPC_ACCESS: _allowing(
        *_LOGS,
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ),
    TRACING: _allowing(
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:GetSamplingStatisticSummaries",
    ),
}
"""AWS's managed policies, by their names. The first is attached to each function's role."""

_REFERENCE = re.compile(r"\$\{([^}]+)\}")


class Role(NamedTuple):
    """The policies of a function's role: the template's own, and AWS's."""

    own: Sequence[Policy]
    managed: Sequence[Policy]


class Stack:
    """The tests' stack, from the translated template."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self._template = template
        self._resources: Mapping[str, Any] = template["Resources"]
        self.folders = _folders()
        self._known = dict(self._names_in_the_environment())

    def role(self, folder: str) -> Role:
        """The role of the function in functions/`folder`."""
        role = self._properties(f"{self.logical_id(folder)}Role")
        managed = [self._resolved(arn).rpartition("/")[2] for arn in role["ManagedPolicyArns"]]
        return Role(
            [self._resolved(policy["PolicyDocument"]) for policy in role.get("Policies", ())],
            [MANAGED[name] for name in managed],
        )

    def key_policy(self) -> Policy:
        """The policy of the key that seals secrets."""
        policy: Policy = self._resolved(self._properties("SecretsKey")["KeyPolicy"])
        return policy

    def mappings(self) -> Iterator[tuple[str, str]]:
        """The folder of the function, and the ARN of the source, of each mapping."""
        for mapping in self._of_type("AWS::Lambda::EventSourceMapping"):
            folder = self._folder_of(mapping["FunctionName"])
            yield folder, self._resolved(mapping["EventSourceArn"])

    def destinations(self) -> Iterator[tuple[str, str]]:
        """The folder of the function, and the ARN, of each destination of invocations."""
        for settings in self._of_type("AWS::Lambda::EventInvokeConfig"):
            for destination in settings.get("DestinationConfig", {}).values():
                folder = self._folder_of(settings["FunctionName"])
                yield folder, self._resolved(destination["Destination"])

    def log_group(self, folder: str) -> str:
        """The ARN of a function's log group."""
        group = self._properties(self.logical_id(folder))["LoggingConfig"]["LogGroup"]["Ref"]
        return self._log_group(group)

    def logical_id(self, folder: str) -> str:
        """The name in the template of the function in functions/`folder`."""
        (name,) = (name for name, each in self.folders.items() if each == folder)
        return name

    def folder_of_arn(self, function: str) -> str:
        """The folder of the function with this ARN, which may end with an alias."""
        names = {folder: self._referred(f"{name}.Arn") for name, folder in self.folders.items()}
        (found,) = (
            folder for folder, name in names.items() if f"{function}:".startswith(f"{name}:")
        )
        return found

    def _log_group(self, name: str) -> str:
        group = self._resolved(self._properties(name)["LogGroupName"])
        return arn("logs", f"log-group:{group}")

    # --- references ----------------------------------------------------------------------------

    def _properties(self, name: str) -> Any:
        return self._resources[name]["Properties"]

    def _of_type(self, kind: str) -> Iterator[Any]:
        for resource in self._resources.values():
            if resource["Type"] == kind:
                yield resource["Properties"]

    def _folder_of(self, function: Any) -> str:
        """The folder of the function that a property names, directly or by its alias."""
        name = function["Ref"]
        if self._resources[name]["Type"] == "AWS::Lambda::Alias":
            name = self._properties(name)["FunctionName"]["Ref"]
        return self.folders[name]

    def _names_in_the_environment(self) -> Iterator[tuple[str, str]]:
        """What the functions' environment names, as `Table` or `SyncFunction.Arn`, by its value."""
        for function in self.folders:
            environment = self._properties(function)["Environment"]["Variables"]
            for variable, value in environment.items():
                match value:
                    case {"Ref": name} if name in self._resources:
                        yield name, os.environ[variable]
                    case {"Fn::GetAtt": [name, attribute]}:
                        yield f"{name}.{attribute}", os.environ[variable]
        yield "NoticeTopicArn", TOPIC
        # tests/conftest.py has its alias. A deployer's own key takes its place.
        yield "SecretsKey.Arn", KEY
        yield "KmsKeyArn", KEY

    def _resolved(self, value: Any) -> Any:
        match value:
            case {"Ref": name}:
                return self._referred(name)
            case {"Fn::GetAtt": [name, attribute]}:
                return self._referred(f"{name}.{attribute}")
            case {"Fn::Sub": str(text)}:
                return _REFERENCE.sub(lambda match: self._referred(match[1]), text)
            case {"Fn::If": [_, granted, _]}:  # the tests do what only some deployments do
                return self._resolved(granted)
            case dict():
                assert not any(key.startswith("Fn::") for key in value), f"cannot resolve {value}"
                return {key: self._resolved(each) for key, each in value.items()}
            case list():
                return [self._resolved(each) for each in value]
        return value

    def _referred(self, reference: str) -> str:
        """The value of `Ref` or, with a dot, of `Fn::GetAtt`."""
        if reference in _PSEUDO:
            return _PSEUDO[reference]()
        if reference in self._known:
            return self._known[reference]
        name, _, attribute = reference.partition(".")
        kind = self._resources[name]["Type"]
        match kind, attribute:
            case "AWS::DynamoDB::Table", "Arn":
                return arn("dynamodb", f"table/{self._known[name]}")
            case "AWS::DynamoDB::Table", "StreamArn":
                return arn("dynamodb", f"table/{self._known[name]}/stream/2026-01-01T00:00:00.000")
            case "AWS::Lambda::Function", "Arn":
                folder = self.folders[name].replace("_", "-")
                return arn("lambda", f"function:{os.environ['STACK_NAME']}-{folder}")
            case "AWS::Logs::LogGroup", "Arn":
                return f"{self._log_group(name)}:*"  # AWS: with what is in it
            case "AWS::SQS::Queue", "Arn":
                return arn("sqs", f"{os.environ['STACK_NAME']}-{name}-1ABCDEFGHIJKL")
        raise LookupError(f"no example of {reference}, a {kind}: add one in {__name__}")


_PSEUDO: Mapping[str, Callable[[], str]] = {
    "AWS::AccountId": lambda: ACCOUNT,
    "AWS::Partition": lambda: "aws",
    "AWS::Region": lambda: REGION,
    "AWS::StackName": lambda: os.environ["STACK_NAME"],
}


def _folders() -> Mapping[str, str]:
    """The folder in functions/ of each function, by its name in the template."""
    return {
        name: resource["Properties"]["CodeUri"].rstrip("/").rpartition("/")[2]
        for name, resource in aws.template()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
