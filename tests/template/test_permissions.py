"""Each function's policies are enough and no more, as rules of IAM evaluate them.

What the functions need is recorded while tests run: see tests/permissions.
"""

import copy
from collections.abc import Sequence
from typing import Any

import pytest

from tests.permissions import evaluator, recorder
from tests.permissions.calls import Permission, UnknownCallError, connector_queue, permissions
from tests.permissions.evaluator import Policy, Question
from tests.permissions.matrix import Matrix, Removal, evaluate, listed, without_each_part
from tests.permissions.plugin import differences
from tests.permissions.stack import Stack
from tests.template.conftest import Template


@pytest.fixture(scope="module")
def matrix(template: Template) -> Matrix:
    return evaluate(Stack(template), recorder.read())


def test_every_function_was_recorded(template: Template) -> None:
    """One whose own policies allow nothing calls nothing of AWS: the console only reads files."""
    stack = Stack(template)
    calling = {
        folder
        for folder in stack.folders.values()
        for each in stack.role(folder).own
        if any(statement["Effect"] == "Allow" for statement in listed(each["Statement"]))
    }
    assert set(recorder.read()) == calling


def test_everything_that_a_function_needs_is_allowed(matrix: Matrix) -> None:
    assert [need for need, is_allowed in matrix.needs if not is_allowed] == []


def test_each_part_of_each_policy_is_needed(matrix: Matrix) -> None:
    assert [removal for removal in matrix.removals if not removal.denied] == []


def test_what_no_function_may_do_is_denied(matrix: Matrix) -> None:
    assert [each for each in matrix.refused if each[-1]] == []


def test_every_role_honours_the_permissions_boundary(template: Template) -> None:
    roles = [each for each in template["Resources"].values() if each["Type"] == "AWS::IAM::Role"]
    assert roles
    for role in roles:
        assert role["Properties"]["PermissionsBoundary"] == {
            "Fn::If": [
                "HasPermissionsBoundary",
                {"Ref": "PermissionsBoundaryArn"},
                {"Ref": "AWS::NoValue"},
            ]
        }
    assert template["Parameters"]["PermissionsBoundaryArn"]["Default"] == ""


# --- the proof itself ---------------------------------------------------------------------------


def policy(**statement: Any) -> Policy:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}


QUEUES = "arn:aws:sqs:us-east-1:123456789012:dc-test-c-*"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/dc-test-table"


def allowed(
    own: Sequence[Policy], permission: Permission, *, boundary: Sequence[Policy] = ()
) -> bool:
    policies = {"own": own, "boundary": boundary, "key": []}
    question = Question("own", permission, "boundary" if boundary else "")
    (answer,) = evaluator.allowed(policies, [question])
    return answer


def test_the_evaluator_heeds_actions_resources_conditions_and_boundaries() -> None:
    send = Permission("sqs:SendMessage", connector_queue())
    own = [policy(Action="sqs:SendMessage", Resource=QUEUES)]
    assert allowed(own, send)
    assert not allowed(own, send._replace(action="sqs:ReceiveMessage"))
    assert not allowed(own, send._replace(resource=QUEUES.replace("-c-*", "-dead-letters")))
    assert not allowed(own, send, boundary=[policy(Action="dynamodb:*", Resource="*")])
    keys = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["EXPIRED#*"]}}
    own = [policy(Action="dynamodb:PutItem", Resource=TABLE, Condition=keys)]
    put = Permission("dynamodb:PutItem", TABLE, (("dynamodb:LeadingKeys", ("EXPIRED#x",)),))
    assert allowed(own, put)
    assert not allowed(own, put._replace(context=(("dynamodb:LeadingKeys", ("KEY#x",)),)))


def test_the_evaluator_knows_what_aws_knows() -> None:
    own = [policy(Action="sqs:SendMessage", Resource=QUEUES)]
    with pytest.raises(evaluator.EvaluatorError, match="SendMessages"):
        allowed(own, Permission("sqs:SendMessages", connector_queue()))
    keys = (("dynamodb:LeadingKeys", ("x",)),)
    with pytest.raises(evaluator.EvaluatorError, match=r"AWS has no dynamodb:LeadingKeys"):
        allowed(own, Permission("sqs:SendMessage", connector_queue(), keys))


def test_an_unneeded_permission_is_found(template: Template) -> None:
    wider = copy.deepcopy(dict(template))
    role = wider["Resources"]["SyncFunctionRole"]["Properties"]
    added = policy(Sid="Added", Action=["sqs:PurgeQueue"], Resource=QUEUES)
    role["Policies"].append({"PolicyName": "added", "PolicyDocument": added})
    found = evaluate(Stack(wider), recorder.read())
    assert [each for each in found.removals if not each.denied] == [
        Removal("sync", "Added", "sqs:PurgeQueue", ())
    ]
    assert [each[:2] for each in found.refused if each[-1]] == [
        ("sync", Permission("sqs:PurgeQueue", connector_queue()))
    ]


def test_each_action_resource_and_value_of_a_condition_is_removed_once() -> None:
    keys = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["A#*", "B#*"]}}
    own = [
        policy(Sid="S", Action=["a:One", "a:Two"], Resource=["r1", "r2"], Condition=keys),
        policy(Sid="T", Action="a:Three", Resource="r1"),
    ]
    parts = [(sid, part) for sid, part, _, _ in without_each_part(own)]
    assert parts == [
        *(("S", part) for part in ("a:One", "a:Two", "r1", "r2")),
        ("S", "dynamodb:LeadingKeys A#*"),
        ("S", "dynamodb:LeadingKeys B#*"),
        ("T", "a:Three"),
    ]
    *_, (_, _, _, rest) = without_each_part(own)
    assert rest == own[:1]


@pytest.mark.parametrize(
    ("service", "operation", "given", "expected"),
    [
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t", "Item": {"pk": {"S": "A#1"}}}},
                    {"ConditionCheck": {"TableName": "t", "Key": {"pk": {"S": "B"}}}},
                ]
            },
            ["dynamodb:PutItem table/t A#x", "dynamodb:ConditionCheckItem table/t B"],
        ),
        (
            "dynamodb",
            "BatchWriteItem",
            {
                "RequestItems": {
                    "t": [
                        {"PutRequest": {"Item": {"pk": {"S": "A#1"}}}},
                        {"DeleteRequest": {"Key": {"pk": {"S": "A#2"}}}},
                        {"DeleteRequest": {"Key": {"pk": {"S": "B#1"}}}},
                    ]
                }
            },
            ["dynamodb:BatchWriteItem table/t A#x,B#x"],
        ),
        (
            "sqs",
            "SendMessageBatch",
            {"QueueUrl": "https://sqs/1/dc-test-dead-letters", "Entries": []},
            ["sqs:SendMessage dc-test-dead-letters"],
        ),
        (
            "sqs",
            "CreateQueue",
            {"QueueName": "other", "tags": {"k": "v"}},
            ["sqs:CreateQueue other v k", "sqs:TagQueue other v k"],
        ),
    ],
)
def test_a_call_takes_the_permissions_that_aws_documents(
    service: str, operation: str, given: dict[str, Any], expected: list[str]
) -> None:
    found = [
        " ".join(
            [
                permission.action,
                permission.resource.rpartition(":")[2],
                *(",".join(values) for _, values in permission.context),
            ]
        )
        for permission in permissions(service, operation, given)
    ]
    assert found == expected


def test_an_unknown_call_fails_the_test_that_makes_it() -> None:
    with pytest.raises(UnknownCallError, match="sqs:AddPermission is a new call"):
        permissions("sqs", "AddPermission", {})


def test_new_and_missing_calls_are_named() -> None:
    old, new = Permission("a:Old", "*"), Permission("a:New", "*")
    found = {("sync", new): "test_x"}
    assert differences(found, {"sync": {old}}, whole=False) == [
        "new: sync needs a:New * (first in test_x)"
    ]
    assert differences(found, {"sync": {old, new}}, whole=True) == [
        "no test makes it any more: sync needs a:Old *"
    ]


def test_a_call_for_the_rest_of_a_batch_is_neither_new_nor_missed() -> None:
    """Which keys DynamoDB leaves unprocessed is chance."""

    def batch(*partitions: str) -> Permission:
        return Permission("dynamodb:BatchGetItem", "t", (("dynamodb:LeadingKeys", partitions),))

    whole, rest, other = batch("ACCESS#x", "PROJECT#x"), batch("ACCESS#x"), batch("KEY#x")
    found = dict.fromkeys([("ingest", whole), ("ingest", rest)], "test_x")
    assert differences(found, {"ingest": {whole}}, whole=True) == []
    assert differences(found, {"ingest": {rest}}, whole=True) == [
        f"new: ingest needs {whole} (first in test_x)",
        f"no test makes it any more: ingest needs {rest}",
    ]
    assert differences({("ingest", other): "test_x"}, {"ingest": {whole}}, whole=False) == [
        f"new: ingest needs {other} (first in test_x)"
    ]
