"""What no function may do: nothing outside of its stack, and nothing that only an operator does."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping

from tests.permissions.calls import (
    ACCOUNT,
    KEY,
    REGION,
    Context,
    Permission,
    arn,
    connector_queue,
)

FOREIGN_FUNCTION = arn("lambda", "function:other-sender:live")
FOREIGN_KEY = arn("kms", "key/99999999-2222-4333-8444-555555555555")
FOREIGN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"

NAMED_CONTEXT = "kms:EncryptionContext:name"
ONLY_NAME: Context = (("kms:EncryptionContextKeys", ("name",)),)

ACCESS_PARTITIONS = ("ACCESS#x", "AUDIT#x", "KEY#x", "MEMBER#x", "ORGANIZATION#x", "TOKENKEYS")
ACCESS_ADMINISTRATORS = ("admin", "config_api")
"""Rows that say who may do what, and the functions that may write them."""

READS = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")

PRIVATE_PARTITIONS = (*ACCESS_PARTITIONS, "ATTEMPTS#x", "EXPIRED#x", "HISTORY#x", "TRYOUT#x")
"""Rows with credentials, or with what devices sent and endpoints answered. A function reads those
kinds that it needs; the config API needs them all."""

TAKEN_OVER = {"lambda:FunctionArn": FOREIGN_FUNCTION, "events:source": "other"}
"""Condition keys that say whose a thing is, each with somebody else. No condition key says whose
mapping is tagged, or whose tags are read."""


def for_operators() -> Iterator[Permission]:
    """What nothing but a person or a deployment does."""
    table = arn("dynamodb", f"table/{os.environ['TABLE_NAME']}")
    sender = os.environ["SENDER_ARN"].rpartition(":")[0]
    queue = connector_queue()
    role = f"arn:aws:iam::{ACCOUNT}:role/{os.environ['STACK_NAME']}-sender"
    for resource, actions in {
        FOREIGN_ROLE: ("iam:PassRole", "sts:AssumeRole"),
        role: (
            "iam:AttachRolePolicy",
            "iam:DeleteRolePermissionsBoundary",
            "iam:PassRole",
            "iam:PutRolePolicy",
            "iam:UpdateAssumeRolePolicy",
        ),
        f"arn:aws:iam::{ACCOUNT}:user/x": ("iam:CreateAccessKey", "iam:CreateUser"),
        table: (
            "dynamodb:DeleteTable",
            "dynamodb:ExportTableToPointInTime",
            "dynamodb:PartiQLDelete",
            "dynamodb:PartiQLSelect",
            "dynamodb:Scan",
            "dynamodb:UpdateTable",
            "dynamodb:UpdateTimeToLive",
        ),
        KEY: (
            "kms:CreateGrant",
            "kms:DisableKey",
            "kms:GenerateDataKey",
            "kms:PutKeyPolicy",
            "kms:ReEncryptFrom",
            "kms:ScheduleKeyDeletion",
        ),
        sender: (
            "lambda:AddPermission",
            "lambda:GetFunction",
            "lambda:InvokeFunction",
            "lambda:UpdateAlias",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ),
        queue: ("sqs:AddPermission", "sqs:PurgeQueue", "sqs:StartMessageMoveTask"),
        os.environ["DEAD_LETTER_QUEUE_ARN"]: ("sqs:DeleteMessage", "sqs:ReceiveMessage"),
        arn("logs", "log-group:/aws/lambda/x:*"): ("logs:DeleteLogGroup",),
        f"arn:aws:s3:::{os.environ['STACK_NAME']}/x": ("s3:GetObject", "s3:PutObject"),
        arn("secretsmanager", "secret:x-AbCdEf"): ("secretsmanager:GetSecretValue",),
        arn("ssm", "parameter/x"): ("ssm:GetParameter",),
        arn("events", "rule/x"): ("events:PutRule",),
        f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/x/y": ("cloudformation:UpdateStack",),
    }.items():
        for action in actions:
            yield Permission(action, resource)
    # Without a context, KMS would open a ciphertext that belongs to nobody.
    yield Permission("kms:Decrypt", KEY)
    yield Permission("kms:Encrypt", KEY)


def network_interfaces(folder: str) -> Iterator[Permission]:
    """What Lambda does for a function in a VPC, if the function's own code did it."""
    function = arn("lambda", f"function:{os.environ['STACK_NAME']}-{folder}")
    context = (("lambda:SourceFunctionArn", (function,)),)
    interface = arn("ec2", "network-interface/eni-1")
    for action, resource in (
        ("CreateNetworkInterface", interface),
        ("DeleteNetworkInterface", interface),
        ("DescribeSubnets", "*"),
    ):
        yield Permission(f"ec2:{action}", resource, context)


def logs(own: str, groups: Iterable[str]) -> Iterator[Permission]:
    """Lines in the log of something else, and groups: Lambda would make a deleted one again.

    AWS's policy for logs, which each role has, allows them. `own` is the function's log group, by
    its ARN, and `groups` are those of the stack's other functions.
    """
    for group in (own, *groups, arn("logs", "log-group:/aws/lambda/other")):
        yield Permission("logs:CreateLogGroup", group)
        if group != own:
            yield Permission("logs:CreateLogStream", f"{group}:*")
            yield Permission("logs:PutLogEvents", f"{group}:log-stream:x")


def access_writes() -> Iterator[Permission]:
    """Writes by which a function would give rights, or hide that it did."""
    table = arn("dynamodb", f"table/{os.environ['TABLE_NAME']}")
    for partition in ACCESS_PARTITIONS:
        for action in ("BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"):
            context = (("dynamodb:LeadingKeys", (partition,)),)
            yield Permission(f"dynamodb:{action}", table, context)


def private_reads() -> Iterator[Permission]:
    """Reads of what a function need not know."""
    table = arn("dynamodb", f"table/{os.environ['TABLE_NAME']}")
    for partition in PRIVATE_PARTITIONS:
        for action in READS:
            yield Permission(action, table, (("dynamodb:LeadingKeys", (partition,)),))


def elsewhere(permission: Permission) -> Iterator[Permission]:
    """The same for something that is not the stack's."""
    action, resource, context = permission
    stack = os.environ["STACK_NAME"]
    if resource != "*":
        if stack in resource:
            yield Permission(action, resource.replace(stack, "other"), context)
        if resource == KEY:
            yield Permission(action, FOREIGN_KEY, context)
        yield Permission(action, resource.replace(ACCOUNT, "999999999999"), context)
        yield Permission(action, resource.replace(REGION, "eu-west-1"), context)
    for key, other in TAKEN_OVER.items():
        if key in dict(context):
            yield Permission(
                action, resource, tuple(sorted((dict(context) | {key: (other,)}).items()))
            )


def refused(
    needed: Mapping[str, Collection[Permission]], log_groups: Mapping[str, str]
) -> Iterator[tuple[str, Permission]]:
    """What each function must be denied.

    `needed` is what each needs, and `log_groups` has the ARN of each one's log group.
    """
    contexts = {("somebody/x",)} | {
        dict(permission.context)[NAMED_CONTEXT]
        for own in needed.values()
        for permission in own
        if NAMED_CONTEXT in dict(permission.context)
    }
    for folder, own in needed.items():
        for permission in own:
            for other in elsewhere(permission):
                yield folder, other
        # Secrets of other owners: each function opens and seals only the kinds that it needs.
        for name in contexts:
            for action in ("kms:Decrypt", "kms:Encrypt"):
                permission = Permission(action, KEY, ((NAMED_CONTEXT, name), *ONLY_NAME))
                if permission not in own:
                    yield folder, permission
        if folder != "config_api":
            # A policy has partitions for all of its reads together.
            read = {
                partition
                for permission in own
                if permission.action in READS
                for partition in dict(permission.context).get("dynamodb:LeadingKeys", ())
            }
            for permission in private_reads():
                if not read.issuperset(dict(permission.context)["dynamodb:LeadingKeys"]):
                    yield folder, permission
        if folder not in ACCESS_ADMINISTRATORS:
            for permission in access_writes():
                if permission not in own:
                    yield folder, permission
        others = (group for other, group in log_groups.items() if other != folder)
        for permission in (
            *for_operators(),
            *network_interfaces(folder),
            *logs(log_groups[folder], others),
        ):
            if permission not in own:
                yield folder, permission
