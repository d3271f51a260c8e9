"""Creates the stack's resources in moto, as the template describes them."""

import io
import os
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import yaml

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as their bare value."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: f"{suffix} {node.value}")


@cache
def template() -> dict[str, Any]:
    """template.yaml as it is written, untranslated. It is parsed once, so nobody may change it."""
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)  # a SafeLoader
    return loaded


def make_table() -> None:
    """Create the template's table, with the name that the handlers read."""
    properties = dict(template()["Resources"]["Table"]["Properties"])
    for elsewhere in (
        "DeletionProtectionEnabled",
        "PointInTimeRecoverySpecification",
        "StreamSpecification",
        "TimeToLiveSpecification",
    ):
        properties.pop(elsewhere, None)
    boto3.client("dynamodb").create_table(TableName=os.environ["TABLE_NAME"], **properties)


def make_dead_letter_queue() -> None:
    """Create the dead-letter queue, with the name in the ARN that the sender reads."""
    properties = template()["Resources"]["DeadLetterQueue"]["Properties"]
    boto3.client("sqs").create_queue(
        QueueName=os.environ["DEAD_LETTER_QUEUE_ARN"].rpartition(":")[2],
        Attributes={name: str(value).lower() for name, value in properties.items()},
    )


def make_key() -> None:
    """Create the key that encrypts secrets, with the alias that the handlers read."""
    kms = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=os.environ["KMS_KEY_ARN"], TargetKeyId=key)


def make_sender() -> None:
    """Create a function for mappings to name. Nothing invokes it."""
    role = boto3.client("iam").create_role(RoleName="sender", AssumeRolePolicyDocument="{}")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    name = os.environ["SENDER_ARN"].split(":")[6]
    functions = boto3.client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="app.lambda_handler",
        Code={"ZipFile": code.getvalue()},
        Publish=True,
    )
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
