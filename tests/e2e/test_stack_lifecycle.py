"""The built template as a stack on the emulator: made, changed, rolled back and deleted.

moto's CloudFormation is not asked: docs/operations.md says what it leaves out.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.emulator import (
    BUCKET,
    BUILD,
    EMULATOR_PYTHON,
    FUNCTIONS_PYTHON,
    LOCAL_PARAMETERS,
    Emulator,
    uploaded,
)
from ops.package import TEMPLATE, package
from ops.stacks import outputs

STACK = "dc"
DEADLINE = 30
"""Seconds. A change of the whole stack takes one."""

ACCOUNT = "000000000000"
EVERYTHING = {
    "KmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012",
    "VpcSubnetIds": "subnet-11111111,subnet-22222222",
    "VpcSecurityGroupIds": "sg-11111111",
    "DomainName": "api.example.com",
    "CertificateArn": (
        f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"
    ),
    "RouteRateLimit": "7",
    "Tracing": "Active",
    "ResourceTags": "team=iot,env=",
}
"""Each optional edge of the template."""

LISTINGS = (
    ("apigatewayv2", "get_apis", "Items"),
    ("apigatewayv2", "get_domain_names", "Items"),
    ("cloudwatch", "describe_alarms", "MetricAlarms"),
    ("cloudwatch", "list_dashboards", "DashboardEntries"),
    ("dynamodb", "list_tables", "TableNames"),
    ("events", "list_rules", "Rules"),
    ("iam", "list_roles", "Roles"),
    ("kms", "list_aliases", "Aliases"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings"),
    ("lambda", "list_functions", "Functions"),
    ("lambda", "list_layers", "Layers"),
    ("logs", "describe_log_groups", "logGroups"),
    ("sqs", "list_queues", "QueueUrls"),
)
"""Service, operation and the key of its answer, of each kind of thing that a stack makes."""

# The last thing that is made needs a property that it has not got.
BROKEN = """
  Broken:
    Type: AWS::CloudWatch::Alarm
    DependsOn: [HttpApiStage, LabelsMapping, SenderFunctionAliaslive, ReconcilerErrorsAlarm]
    Properties: { AlarmName: broken }

Outputs:
"""


class Account:
    """An account on the emulator, with the artefact in a bucket. Its only stack is `STACK`."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._clients: dict[str, Any] = {}
        self._cloudformation = emulator.client("cloudformation")
        self.template = uploaded(emulator, BUILD)
        self.broken = self.template.replace("template.yaml", "broken.yaml")
        s3 = emulator.client("s3")
        whole = s3.get_object(Bucket=BUCKET, Key="template.yaml")["Body"].read().decode()
        broken = whole.replace("\nOutputs:\n", BROKEN)
        s3.put_object(Bucket=BUCKET, Key="broken.yaml", Body=broken.encode())
        self.empty = self.left()

    def upload(self, folder: Path) -> str:
        """Copy the files of a package to the bucket, as docs/supply-chain.md says.

        Returns the template's URL.
        """
        s3 = self._emulator.client("s3")
        for path in folder.iterdir():
            s3.put_object(Bucket=BUCKET, Key=f"packaged/{path.name}", Body=path.read_bytes())
        return self.template.replace("template.yaml", f"packaged/{TEMPLATE}")

    def invoke_admin(self) -> Any:
        """What the stack's admin function answers to a request for a project."""
        name = (outputs(self._cloudformation, STACK) or {})["AdminFunctionName"]
        request = {"displayName": "A", "tokenEndpoint": "https://api.example.com/v2/oauth2/token"}
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(request))
        return json.loads(answer["Payload"].read())

    def create(self, template: str, **parameters: str) -> str:
        """Create the stack. Returns how that ended."""
        return self._change(self._cloudformation.create_stack, template, parameters)

    def update(self, template: str, **parameters: str) -> str:
        """Update the stack. Returns how that ended."""
        return self._change(self._cloudformation.update_stack, template, parameters)

    def delete(self) -> None:
        """Delete the stack, and wait until it is gone."""
        self._cloudformation.delete_stack(StackName=STACK)
        deadline = time.monotonic() + DEADLINE
        while self.status():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def status(self) -> str:
        """The stack's status, "" without a stack."""
        try:
            answer = self._cloudformation.describe_stacks(StackName=STACK)
        except ClientError:
            return ""
        return str(answer["Stacks"][0]["StackStatus"])

    def left(self) -> dict[str, int]:
        """How many things there are of each kind that a stack makes; only what there is."""
        found = {
            operation: len(getattr(self.client(service), operation)().get(kind, []))
            for service, operation, kind in LISTINGS
        }
        return {name: count for name, count in found.items() if count}

    def _change(self, change: Any, template: str, parameters: dict[str, str]) -> str:
        given = LOCAL_PARAMETERS | {"DeletionProtection": "false"} | parameters
        change(
            StackName=STACK,
            TemplateURL=template,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value} for name, value in given.items()
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        deadline = time.monotonic() + DEADLINE
        while (status := self.status()).endswith("IN_PROGRESS"):
            assert time.monotonic() < deadline, status
            time.sleep(0.02)
        return status

    def client(self, service: str) -> Any:
        """The client of a service. Each is made once, which takes much of the time here."""
        if service not in self._clients:
            self._clients[service] = self._emulator.client(service)
        return self._clients[service]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    emulator = Emulator(
        interpreter=EMULATOR_PYTHON,
        functions_interpreter=FUNCTIONS_PYTHON,
        state_dir=Path(tmp_path_factory.mktemp("state")),
    )
    try:
        emulator.start()
        yield Account(emulator)
    finally:
        emulator.stop()


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"RouteRateLimit": "0"}, "RouteRateLimit"),
        ({"RouteBurstLimit": "5001"}, "RouteBurstLimit"),
        ({"AttemptTimeout": "301"}, "AttemptTimeout"),
        ({"KmsKeyArn": "alias/mine"}, "KmsKeyArn"),
        ({"Tracing": "on"}, "Tracing"),
        ({"TableRecovery": "yes"}, "TableRecovery"),
        ({"DeletionProtection": "yes"}, "DeletionProtection"),
        ({"AlarmTopicArn": "arn:aws:sqs:us-east-1:123456789012:q"}, "AlarmTopicArn"),
        ({"NoticeTopicArn": "topic"}, "NoticeTopicArn"),
        ({"PermissionsBoundaryArn": "boundary"}, "PermissionsBoundaryArn"),
        ({"DomainName": "Api.example.com"}, "DomainName"),
        ({"DomainName": "api"}, "DomainName"),
        ({"HostedZoneId": "example.com"}, "HostedZoneId"),
        ({"VpcSubnetIds": "vpc-11111111"}, "VpcSubnetIds"),
        ({"VpcSecurityGroupIds": ",".join(["sg-11111111"] * 6)}, "VpcSecurityGroupIds"),
        ({"ResourceTags": "team"}, "ResourceTags"),
        ({"ResourceTags": "aws:team=iot"}, "ResourceTags"),
        ({"ResourceTags": "dataconnectors:stack=other"}, "ResourceTags"),
        ({"VpcSubnetIds": "subnet-11111111"}, "VpcSubnetIds needs VpcSecurityGroupIds"),
        ({"VpcSecurityGroupIds": "sg-11111111"}, "VpcSecurityGroupIds needs VpcSubnetIds"),
        ({"DomainName": "api.example.com"}, "DomainName needs CertificateArn"),
        ({"CertificateArn": EVERYTHING["CertificateArn"]}, "CertificateArn needs DomainName"),
        ({"HostedZoneId": "Z123"}, "HostedZoneId needs DomainName"),
    ],
    ids=str,
)
def test_a_parameter_out_of_range_is_refused_before_anything_is_made(
    account: Account, parameters: dict[str, str], reason: str
) -> None:
    with pytest.raises(ClientError, match=reason):
        account.create(account.template, **parameters)
    assert account.status() == ""


def test_what_is_refused_leaves_nothing(account: Account) -> None:
    """After all of them, as listing everything takes a second."""
    assert account.left() == account.empty


def test_a_deployment_that_fails_half_way_leaves_nothing_and_can_be_repeated(
    account: Account,
) -> None:
    assert account.create(account.broken) == "ROLLBACK_COMPLETE"
    assert account.left() == account.empty
    account.delete()  # As `sam deploy` does, before it creates a stack in this state again
    assert account.create(account.template) == "CREATE_COMPLETE"
    account.delete()
    assert account.left() == account.empty


def test_a_stack_is_changed_in_place_and_goes_back_when_a_change_fails(account: Account) -> None:
    assert account.create(account.template) == "CREATE_COMPLETE"
    (table,) = account.client("dynamodb").list_tables()["TableNames"]
    before = account.left()
    assert before.keys() >= {operation for _, operation, _ in LISTINGS} - {
        "get_domain_names",
        "list_dashboards",  # Not locally
    }
    assert account.update(account.template, **EVERYTHING) == "UPDATE_COMPLETE"
    (domain,) = account.client("apigatewayv2").get_domain_names()["Items"]
    assert domain["DomainName"] == "api.example.com"
    assert account.update(account.broken, RouteRateLimit="9") == "UPDATE_ROLLBACK_COMPLETE"
    assert account.client("apigatewayv2").get_domain_names()["Items"] == [domain]
    assert account.update(account.template) == "UPDATE_COMPLETE"
    assert account.left() == before
    assert account.client("dynamodb").list_tables()["TableNames"] == [table]
    account.delete()
    assert account.left() == account.empty


def test_a_package_deploys_without_building(account: Account, tmp_path: Path) -> None:
    package(BUILD, tmp_path, tmp_path / "out")
    template = account.upload(tmp_path / "out")
    parameters = {"ArtefactBucket": BUCKET, "ArtefactPrefix": "packaged/"}
    assert account.create(template, **parameters) == "CREATE_COMPLETE"
    assert account.invoke_admin()["project"]
    account.delete()
    assert account.left() == account.empty
