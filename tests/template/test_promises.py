"""The promises of template.yaml: permissions, limits that fit each other, and alarms."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from dataconnectors.aws import settings
from dataconnectors.store.failing_items import ATTRIBUTES
from dataconnectors.store.keys import (
    PENDING_ANNOUNCEMENTS,
    UNFINISHED_REPLAYS,
    attempts_partition,
    audit_partition,
    connector_key,
    expired_partition,
    failing_connector_key,
    replay_partition,
)
from tests.support.rows import DISABLING_ATTRIBUTES
from tests.template.conftest import ROOT, Template

FUNCTIONS = (
    "AdminFunction",
    "ConfigApiFunction",
    "ConsoleFunction",
    "IngestFunction",
    "LabelsFunction",
    "ReconcilerFunction",
    "ReplayFunction",
    "SenderFunction",
    "SyncFunction",
    "TryOutFunction",
)

API_GATEWAY_TIMEOUT = 30
"""Seconds. AWS: an HTTP API waits this long for an integration."""

ACCOUNT_THROTTLE = 10_000
"""Requests a second. AWS: what all HTTP APIs of an account take together."""

TRY_OUT_ROUTE = "POST /try/{name}"

QUEUES = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-c-*"
EVENT_BUS = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
MAPPINGS = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:event-source-mapping:*"

SCOPED = {
    "dynamodb": ("Table.Arn", "${Table.Arn}/index/byLifecycle", "Table.StreamArn"),
    "events": (EVENT_BUS,),
    "kms": ("SecretsKey.Arn", "AWS-NoValue"),  # and the key of the parameter, if there is one
    "sns": ("",),  # the topic of the parameter, whose default is none
    "lambda": (MAPPINGS, "ReplayFunction.Arn", "SyncFunction.Arn"),
    "sqs": (QUEUES, "DeadLetterQueue.Arn", "IngestFailuresQueue.Arn"),
}
"""The resources that a statement on each service may name."""

UNSCOPED = {
    "cloudwatch:GetMetricData": "has no resource type",
    "dynamodb:ListStreams": "has no resource type",
    "lambda:CreateEventSourceMapping": "has no resource type; its condition names the sender",
    "lambda:ListEventSourceMappings": "has neither resource type nor condition keys",
    "sqs:ListQueues": "has no resource type",
}
"""Actions that AWS allows on `*` alone, and why."""

OWNERS = {
    "cloudwatch:GetMetricData": {"ReconcilerFunction"},
    "dynamodb:BatchWriteItem": {"IngestFunction", "SenderFunction", "ReconcilerFunction"},
    "dynamodb:DeleteItem": {"ConfigApiFunction", "ReconcilerFunction", "ReplayFunction"},
    "dynamodb:PutItem": {
        "AdminFunction",
        "ConfigApiFunction",
        "IngestFunction",
        "ReconcilerFunction",
        "SenderFunction",
        "TryOutFunction",
    },
    "dynamodb:UpdateItem": {
        "AdminFunction",
        "ConfigApiFunction",
        "IngestFunction",
        "ReconcilerFunction",
        "ReplayFunction",
        "SenderFunction",
        "TryOutFunction",
    },
    "dynamodb:GetRecords": {"LabelsFunction"},
    "events:PutEvents": {"ReconcilerFunction"},
    "kms:Decrypt": {"ConfigApiFunction", "IngestFunction", "SenderFunction", "TryOutFunction"},
    "kms:Encrypt": {"AdminFunction", "ConfigApiFunction"},
    "lambda:CreateEventSourceMapping": {"ConfigApiFunction", "ReconcilerFunction"},
    "lambda:DeleteEventSourceMapping": {"ReconcilerFunction"},
    "sns:Publish": {"ReconcilerFunction"},
    "lambda:InvokeFunction": {"ConfigApiFunction", "ReconcilerFunction"},
    "lambda:UpdateEventSourceMapping": {"ReconcilerFunction"},
    "sqs:ChangeMessageVisibility": {"SenderFunction"},
    "sqs:CreateQueue": {"ConfigApiFunction", "ReconcilerFunction"},
    "sqs:DeleteMessage": {"SenderFunction"},
    "sqs:DeleteQueue": {"ReconcilerFunction"},
    "sqs:ReceiveMessage": {"SenderFunction"},
    "sqs:SendMessage": {
        "ConfigApiFunction",
        "IngestFunction",
        "LabelsFunction",
        "ReplayFunction",
        "SenderFunction",
        "SyncFunction",
    },
    "sqs:SetQueueAttributes": {"ReconcilerFunction"},
}
"""Every action that changes or reveals something, and the functions that may do it."""

OWNERS_OF_SECRETS = {
    "projects/*/dataconnectors/*",
    "projects/*/serviceaccounts/*/keys/*",
    "tokenkeys/*",
}
"""The names that secrets are sealed under."""

SETTINGS: dict[str, Callable[[Mapping[str, str]], object]] = {
    "AdminFunction": settings.AdminSettings.from_env,
    "ConfigApiFunction": settings.ApiSettings.from_env,
    "ConsoleFunction": itemgetter("OIDC_CLIENT_ID", "OIDC_ISSUER", "TRY_OUT"),
    "IngestFunction": settings.IngestSettings.from_env,
    "LabelsFunction": settings.TableSettings.from_env,
    "ReconcilerFunction": settings.ReconcilerSettings.from_env,
    "ReplayFunction": settings.ReplaySettings.from_env,
    "SenderFunction": settings.SenderSettings.from_env,
    "SyncFunction": settings.TableSettings.from_env,
    "TryOutFunction": settings.TryOutSettings.from_env,
}


def resources(template: Template, kind: str) -> dict[str, Any]:
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def plain(value: Any, template: Template) -> str:
    """An intrinsic function as one text: a parameter's default, or the name that it refers to."""
    match value:
        case {"Ref": name}:
            parameter = template["Parameters"].get(name)
            return str(parameter["Default"]) if parameter else name.replace("::", "-")
        case {"Fn::If": ["HasKmsKey", _, otherwise]}:  # the one that does not hold by default
            return plain(otherwise, template)
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Fn::Sub": text}:
            return str(text)
        case {"Fn::If": [_, yes, _]}:
            return plain(yes, template)
        case _:
            return str(value)


def statements(
    template: Template, function: str, effect: str = "Allow"
) -> Iterator[dict[str, Any]]:
    """Everything that a function may do, with what it may only do under a condition; or "Deny"."""
    for policy in resources(template, "AWS::IAM::Role")[f"{function}Role"].get("Policies", ()):
        for statement in listed(policy["PolicyDocument"]["Statement"]):
            match statement:
                case {"Fn::If": [_, optional, {"Ref": "AWS::NoValue"}]}:
                    statement = optional
            if statement["Effect"] == effect:
                yield statement


def actions(template: Template, function: str) -> set[str]:
    return {action for each in statements(template, function) for action in listed(each["Action"])}


def test_the_functions_are_these(template: Template) -> None:
    assert sorted(resources(template, "AWS::Lambda::Function")) == sorted(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
class TestEachFunction:
    def test_runs_as_stated_on_arm_with_the_core(self, template: Template, function: str) -> None:
        properties = resources(template, "AWS::Lambda::Function")[function]
        (layer,) = resources(template, "AWS::Lambda::LayerVersion")
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == ["arm64"]
        assert properties["Handler"] == "app.lambda_handler"
        assert properties["Layers"] == [{"Ref": layer}]

    def test_has_a_role_of_its_own(self, template: Template, function: str) -> None:
        properties = resources(template, "AWS::Lambda::Function")[function]
        assert properties["Role"] == {"Fn::GetAtt": [f"{function}Role", "Arn"]}

    def test_has_only_the_managed_policy_for_logs(self, template: Template, function: str) -> None:
        """And the sender those for a VPC and for traces, where it needs them."""
        role = resources(template, "AWS::IAM::Role")[f"{function}Role"]
        policy, *others = role["ManagedPolicyArns"]
        assert plain(policy, template).endswith(":policy/service-role/AWSLambdaBasicExecutionRole")
        names = {
            each["Fn::If"][0]: plain(each, template).rpartition("/")[2]
            for each in others
            if each["Fn::If"][2] == {"Ref": "AWS::NoValue"}
        }
        assert len(names) == len(others)
        assert names == (
            {"IsInVpc": "AWSLambdaVPCAccessExecutionRole", "IsTraced": "AWSXRayDaemonWriteAccess"}
            if function == "SenderFunction"
            else {}
        )

    def test_may_act_only_on_the_stacks_resources(self, template: Template, function: str) -> None:
        for statement in statements(template, function):
            for action in listed(statement["Action"]):
                assert "*" not in action
                for resource in listed(statement["Resource"]):
                    if resource == "*":
                        assert action in UNSCOPED, f"{action} can be scoped"
                    else:
                        service = action.partition(":")[0]
                        assert plain(resource, template) in SCOPED[service], action

    def test_writes_to_its_own_log_group_alone(self, template: Template, function: str) -> None:
        """By what it denies: the policy for logs, which SAM attaches, allows every group."""
        group = resources(template, "AWS::Lambda::Function")[function]["LoggingConfig"]["LogGroup"]
        denied = {each["Sid"]: each for each in statements(template, function, "Deny")}
        assert denied.keys() - {"LeaveTheNetworkToLambda"} == {"MakeNoLogGroup", "LogNowhereElse"}
        assert denied["MakeNoLogGroup"]["Resource"] == "*"
        assert denied["LogNowhereElse"]["NotResource"] == {"Fn::GetAtt": [group["Ref"], "Arn"]}

    def test_encrypts_and_decrypts_only_secrets_of_the_named_kinds_of_owner(
        self, template: Template, function: str
    ) -> None:
        for statement in statements(template, function):
            if any(action.startswith("kms:") for action in listed(statement["Action"])):
                (names,) = statement["Condition"]["StringLike"].values()
                assert list(statement["Condition"]["StringLike"]) == ["kms:EncryptionContext:name"]
                assert set(listed(names)) <= OWNERS_OF_SECRETS

    def test_changes_only_mappings_of_the_sender(self, template: Template, function: str) -> None:
        for statement in statements(template, function):
            names = [action.partition(":")[2] for action in listed(statement["Action"])]
            if any(re.match("(Create|Delete|Get|Update)EventSource", name) for name in names):
                (condition,) = statement["Condition"].values()
                assert [plain(arn, template) for arn in condition["lambda:FunctionArn"]] == [
                    "SenderFunction.Arn",
                    "${SenderFunction.Arn}:*",
                ]

    def test_logs_into_a_group_with_a_retention_that_is_deleted_with_the_stack(
        self, template: Template, function: str
    ) -> None:
        properties = resources(template, "AWS::Lambda::Function")[function]
        group = properties["LoggingConfig"]["LogGroup"]["Ref"]
        assert group == function.replace("Function", "LogGroup")
        assert template["Resources"][group]["DeletionPolicy"] == "Delete"
        assert resources(template, "AWS::Logs::LogGroup")[group]["RetentionInDays"]

    def test_has_the_environment_that_its_settings_ask_for(
        self, template: Template, function: str
    ) -> None:
        """The parameters have their defaults. An invalid variable raises an error that names it."""
        variables = resources(template, "AWS::Lambda::Function")[function]["Environment"]
        env = {name: plain(value, template) for name, value in variables["Variables"].items()}
        SETTINGS[function](env)

    def test_trusts_the_authorities_of_a_file_in_the_layer(
        self, template: Template, function: str
    ) -> None:
        """An empty value would switch botocore's verification off."""
        variables = resources(template, "AWS::Lambda::Function")[function]["Environment"]
        assert variables["Variables"]["AWS_CA_BUNDLE"] == {
            "Fn::If": [
                "HasAmazonTrustServices",
                "/opt/python/dataconnectors/authorities/aws.pem",
                "/opt/python/certifi/cacert.pem",
            ]
        }
        assert template["Conditions"]["HasAmazonTrustServices"] == {
            "Fn::Equals": [{"Ref": "AWS::Partition"}, "aws"]
        }

    def test_reports_logs_and_metrics_as_this_stack(
        self, template: Template, function: str
    ) -> None:
        variables = resources(template, "AWS::Lambda::Function")[function]["Environment"]
        env = variables["Variables"]
        assert env["POWERTOOLS_SERVICE_NAME"] == "dataconnectors"
        assert env["POWERTOOLS_METRICS_NAMESPACE"] == {"Ref": "AWS::StackName"}


@pytest.mark.parametrize("action", OWNERS)
def test_an_action_is_allowed_only_to_the_listed_functions(template: Template, action: str) -> None:
    assert {name for name in FUNCTIONS if action in actions(template, name)} == OWNERS[action]


def test_the_senders_role_lets_lambdas_poller_receive_and_delete(template: Template) -> None:
    """Lambda refuses a mapping if the function's role does not allow that."""
    needed = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    assert needed <= actions(template, "SenderFunction")


def test_the_template_has_no_queues_and_mappings_of_connectors(template: Template) -> None:
    assert list(resources(template, "AWS::Lambda::EventSourceMapping")) == ["LabelsMapping"]
    assert sorted(resources(template, "AWS::SQS::Queue")) == [
        "DeadLetterQueue",
        "IngestFailuresQueue",
    ]


@pytest.mark.parametrize(
    "function", ["IngestFunction", "ConfigApiFunction", "AdminFunction", "TryOutFunction"]
)
def test_a_function_of_the_api_answers_before_the_gateway_gives_up(
    template: Template, function: str
) -> None:
    timeout = resources(template, "AWS::Lambda::Function")[function]["Timeout"]
    assert timeout < API_GATEWAY_TIMEOUT


def test_two_runs_of_the_reconciler_never_overlap(template: Template) -> None:
    (rule,) = resources(template, "AWS::Events::Rule").values()
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert resources(template, "AWS::Lambda::Function")["ReconcilerFunction"]["Timeout"] < 60
    invokes = resources(template, "AWS::Lambda::EventInvokeConfig")
    assert invokes["ReconcilerFunctionEventInvokeConfig"]["MaximumRetryAttempts"] == 0


def test_a_failed_asynchronous_call_of_ingest_is_kept_and_raises_an_alarm(
    template: Template,
) -> None:
    invokes = resources(template, "AWS::Lambda::EventInvokeConfig")
    on_failure = invokes["IngestFunctionEventInvokeConfig"]["DestinationConfig"]["OnFailure"]
    assert plain(on_failure["Destination"], template) == "IngestFailuresQueue.Arn"
    assert resources(template, "AWS::SQS::Queue")["IngestFailuresQueue"] == {
        "MessageRetentionPeriod": 14 * 24 * 3600,
        "SqsManagedSseEnabled": True,
    }


class TestChangedLabels:
    """The mapping that brings changed labels from the table's stream to the labels function."""

    def mapping(self, template: Template) -> Any:
        return resources(template, "AWS::Lambda::EventSourceMapping")["LabelsMapping"]

    def test_come_with_the_labels_before_and_after(self, template: Template) -> None:
        table = resources(template, "AWS::DynamoDB::Table")["Table"]
        assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
        assert plain(self.mapping(template)["EventSourceArn"], template) == "Table.StreamArn"
        assert plain(self.mapping(template)["FunctionName"], template) == "LabelsFunction"

    def test_are_retried_for_as_long_as_the_stream_has_them(self, template: Template) -> None:
        """A mapping does that by default."""
        limits = {"MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "DestinationConfig"}
        assert not limits & set(self.mapping(template))
        assert self.mapping(template)["StartingPosition"] == "TRIM_HORIZON"
        assert self.mapping(template)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    def test_are_the_only_records_that_invoke_the_function(self, template: Template) -> None:
        (chosen,) = self.mapping(template)["FilterCriteria"]["Filters"]
        assert json.loads(chosen["Pattern"]) == {
            "eventName": ["MODIFY"],
            "dynamodb": {
                "Keys": {"pk": {"S": [{"prefix": "DEVICES#"}]}},
                "NewImage": {"labelsTime": {"S": [{"exists": True}]}},
            },
        }

    def test_can_be_read_by_lambdas_poller(self, template: Template) -> None:
        needed = {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"}
        assert {f"dynamodb:{name}" for name in needed} <= actions(template, "LabelsFunction")


def test_a_sync_has_the_longest_timeout_and_is_repeated(template: Template) -> None:
    assert resources(template, "AWS::Lambda::Function")["SyncFunction"]["Timeout"] == 900
    invokes = resources(template, "AWS::Lambda::EventInvokeConfig")
    assert invokes["SyncFunctionEventInvokeConfig"]["MaximumRetryAttempts"] == 2
    environment = resources(template, "AWS::Lambda::Function")["ConfigApiFunction"]["Environment"]
    assert plain(environment["Variables"]["SYNC_FUNCTION"], template) == "SyncFunction.Arn"


def test_a_replay_has_the_longest_timeout_and_is_continued_by_the_reconciler(
    template: Template,
) -> None:
    functions = resources(template, "AWS::Lambda::Function")
    assert functions["ReplayFunction"]["Timeout"] == 900
    invokes = resources(template, "AWS::Lambda::EventInvokeConfig")
    assert invokes["ReplayFunctionEventInvokeConfig"]["MaximumRetryAttempts"] == 0
    for starter in ("ConfigApiFunction", "ReconcilerFunction"):
        variables = functions[starter]["Environment"]["Variables"]
        assert plain(variables["REPLAY_FUNCTION"], template) == "ReplayFunction.Arn"
    (invoke,) = (
        each
        for each in statements(template, "ReconcilerFunction")
        if each["Action"] == "lambda:InvokeFunction"
    )
    assert plain(invoke["Resource"], template) == "ReplayFunction.Arn"


def test_a_replay_may_write_only_its_progress_and_keeps_the_pace_of_the_mappings(
    template: Template,
) -> None:
    writes = {"dynamodb:DeleteItem", "dynamodb:UpdateItem"}
    (statement,) = (
        each
        for each in statements(template, "ReplayFunction")
        if writes & set(listed(each["Action"]))
    )
    assert statement["Condition"] == {
        "ForAllValues:StringLike": {
            "dynamodb:LeadingKeys": [replay_partition("*"), UNFINISHED_REPLAYS]
        }
    }
    functions = resources(template, "AWS::Lambda::Function")
    for function in ("ReplayFunction", "ReconcilerFunction"):
        variables = functions[function]["Environment"]["Variables"]
        assert variables["MAXIMUM_CONCURRENCY"] == {"Ref": "MaximumConcurrency"}


def test_without_history_no_replay_is_started(template: Template) -> None:
    functions = resources(template, "AWS::Lambda::Function")
    for function in ("IngestFunction", "ConfigApiFunction"):
        variables = functions[function]["Environment"]["Variables"]
        assert variables["KEEP_HISTORY"] == {"Ref": "KeepHistory"}


def test_dead_letters_are_kept_for_two_weeks_and_nothing_consumes_them(
    template: Template,
) -> None:
    """Lambda stops invocations that form a loop. A dead letter invokes nothing, so there is
    none."""
    assert resources(template, "AWS::SQS::Queue")["DeadLetterQueue"] == {
        "MessageRetentionPeriod": 14 * 24 * 3600,
        "SqsManagedSseEnabled": True,
    }
    for name in resources(template, "AWS::Lambda::Function"):
        for statement in statements(template, name):
            if "DeadLetterQueue.Arn" in [
                plain(each, template) for each in listed(statement["Resource"])
            ]:
                assert (name, statement["Action"]) == ("SenderFunction", "sqs:SendMessage")


def test_the_sender_may_write_only_counts_records_what_it_knows_of_failures_and_disable(
    template: Template,
) -> None:
    writes = {"dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
    granted = {
        statement["Sid"]: (writes & set(listed(statement["Action"])), statement["Condition"])
        for statement in statements(template, "SenderFunction")
        if writes & set(listed(statement["Action"]))
    }

    def partitions(*keys: str) -> dict[str, Any]:
        return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)}}

    def only(*attributes: str) -> dict[str, Any]:
        return {"ForAllValues:StringEquals": {"dynamodb:Attributes": list(attributes)}}

    connectors = connector_key("*", "")["pk"]["S"]
    failing = failing_connector_key("")["pk"]["S"]
    assert granted == {
        "SaveRecords": (
            writes,
            partitions(expired_partition("*"), "METRICS#*", PENDING_ANNOUNCEMENTS),
        ),
        "LogAttempts": (
            {"dynamodb:BatchWriteItem"},
            partitions(attempts_partition("*", 0).replace("*#0", "*")),
        ),
        "NoteFailures": (
            {"dynamodb:UpdateItem"},
            partitions(connectors, failing) | only("pk", "sk", "version", *ATTRIBUTES),
        ),
        "DisableConnectors": (
            {"dynamodb:UpdateItem"},
            partitions(connectors) | only(*DISABLING_ATTRIBUTES),
        ),
        "AuditDisabling": ({"dynamodb:PutItem"}, partitions(audit_partition("*"))),
    }


def test_the_sender_may_disable_connectors_only_where_410_does_that(template: Template) -> None:
    conditional = {
        statement["Fn::If"][1]["Sid"]: statement["Fn::If"][0]
        for policy in resources(template, "AWS::IAM::Role")["SenderFunctionRole"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "Fn::If" in statement
    }
    assert conditional == {
        "DisableConnectors": "DisablesOnGone",
        "AuditDisabling": "DisablesOnGone",
        "LeaveTheNetworkToLambda": "IsInVpc",
        "LogAttempts": "LogsAttempts",
    }
    assert template["Conditions"]["DisablesOnGone"] == {
        "Fn::Equals": [{"Ref": "DisableOnGone"}, "true"]
    }
    assert template["Parameters"]["DisableOnGone"]["Default"] == "false"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_key_of_the_deployers_seals_and_both_keys_open(template: Template, function: str) -> None:
    stacks, own = {"Fn::GetAtt": ["SecretsKey", "Arn"]}, {"Ref": "KmsKeyArn"}
    for statement in statements(template, function):
        if "kms:Decrypt" in listed(statement["Action"]):
            assert statement["Resource"] == [
                stacks,
                {"Fn::If": ["HasKmsKey", own, {"Ref": "AWS::NoValue"}]},
            ]
        elif "kms:Encrypt" in listed(statement["Action"]):
            assert statement["Resource"] == {"Fn::If": ["HasKmsKey", own, stacks]}


def test_announcements_name_this_stack_as_their_source(template: Template) -> None:
    (statement,) = (
        each
        for each in statements(template, "ReconcilerFunction")
        if each["Action"] == "events:PutEvents"
    )
    assert statement["Condition"] == {
        "ForAllValues:StringEquals": {"events:source": {"Ref": "AWS::StackName"}}
    }


@pytest.mark.parametrize("function", ["ConfigApiFunction", "ReconcilerFunction"])
def test_mappings_are_made_for_the_live_alias(template: Template, function: str) -> None:
    variables = resources(template, "AWS::Lambda::Function")[function]["Environment"]["Variables"]
    alias = variables["SENDER_ARN"]["Ref"]
    properties = resources(template, "AWS::Lambda::Alias")[alias]
    assert properties["Name"] == "live"
    assert properties["FunctionName"] == {"Ref": "SenderFunction"}


@pytest.mark.parametrize("function", ["ConfigApiFunction", "ReconcilerFunction"])
def test_queues_follow_the_senders_own_timeout(template: Template, function: str) -> None:
    functions = resources(template, "AWS::Lambda::Function")
    variables = functions[function]["Environment"]["Variables"]
    assert variables["FUNCTION_TIMEOUT"] == functions["SenderFunction"]["Timeout"]


def test_a_change_of_the_layer_makes_a_new_version_of_the_sender(tmp_path: Path) -> None:
    """SAM looks only at the function's own package, so that has to change with the layer."""
    assert (ROOT / "functions/sender/core").resolve() == ROOT / "layers/core"
    folder = tmp_path / "sender"
    folder.mkdir()
    for name in ("Makefile", "app.py"):
        shutil.copy(ROOT / "functions/sender" / name, folder)
    core = folder / "core" / "dataconnectors"
    core.mkdir(parents=True)

    def built(content: str) -> dict[str, bytes]:
        (core / "module.py").write_text(content)
        artefact = tmp_path / "artefact"
        artefact.mkdir(exist_ok=True)
        subprocess.run(
            ["make", "-s", "-C", folder, "build-SenderFunction", f"ARTIFACTS_DIR={artefact}"],
            check=True,
            env=os.environ | {"MAKEFLAGS": ""},
        )
        return {path.name: path.read_bytes() for path in artefact.iterdir()}

    before, same, after = built("x = 1\n"), built("x = 1\n"), built("x = 2\n")
    assert before == same
    assert before["app.py"] == after["app.py"]
    assert before != after


@pytest.mark.parametrize(
    ("route", "function"),
    [
        ("POST /v2/projects/{project}/devices/{device}", "IngestFunction"),
        ("POST /v2/projects/{project}/events", "IngestFunction"),
        (TRY_OUT_ROUTE, "TryOutFunction"),
        ("ANY /console/{path+}", "ConsoleFunction"),
        ("POST /v2/oidc/token", "ConfigApiFunction"),
        ("$default", "ConfigApiFunction"),
    ],
)
def test_a_route_reaches_its_function(template: Template, route: str, function: str) -> None:
    (target,) = [
        plain(properties["Target"], template)
        for properties in resources(template, "AWS::ApiGatewayV2::Route").values()
        if properties["RouteKey"] == route
    ]
    integration = re.fullmatch(r"integrations/\$\{(\w+)\}", target)
    assert integration is not None
    properties = resources(template, "AWS::ApiGatewayV2::Integration")[integration[1]]
    assert plain(properties["IntegrationUri"], template) == f"{function}.Arn"
    assert properties["PayloadFormatVersion"] == "2.0"
    permitted = [
        plain(permission["FunctionName"], template)
        for permission in resources(template, "AWS::Lambda::Permission").values()
        if permission["Principal"] == "apigateway.amazonaws.com"
    ]
    assert function in permitted


def test_publishers_cannot_use_up_the_throttle_of_other_callers(template: Template) -> None:
    """Each route has a throttle of its own."""
    stage = resources(template, "AWS::ApiGatewayV2::Stage")["HttpApiStage"]
    throttle = stage["DefaultRouteSettings"]
    rate = int(plain(throttle["ThrottlingRateLimit"], template))
    assert 0 < rate <= ACCOUNT_THROTTLE / 10
    assert int(plain(throttle["ThrottlingBurstLimit"], template)) == rate


def test_the_endpoint_to_try_connectors_with_exists_only_where_it_is_switched_on(
    template: Template,
) -> None:
    assert template["Parameters"]["TryOut"]["Default"] == "false"
    assert template["Conditions"]["WithTryOut"] == {"Fn::Equals": [{"Ref": "TryOut"}, "true"]}
    conditional = {
        name
        for name, resource in template["Resources"].items()
        if resource.get("Condition") == "WithTryOut"
    }
    assert conditional == {name for name in template["Resources"] if name.startswith("TryOut")}
    assert {"TryOutRoute", "TryOutFunction", "TryOutFunctionRole", "TryOutLogGroup"} <= conditional
    stage = resources(template, "AWS::ApiGatewayV2::Stage")["HttpApiStage"]
    throttle = {TRY_OUT_ROUTE: {"ThrottlingRateLimit": 10, "ThrottlingBurstLimit": 20}}
    absent = {"Ref": "AWS::NoValue"}
    assert stage["RouteSettings"] == {"Fn::If": ["WithTryOut", throttle, absent]}
    # The deployment fails if a throttle is set for a route that does not exist yet.
    assert {"Ref": "TryOutRoute"} in stage["StageVariables"]["Fn::If"][1].values()
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())
    parameters = settings["prod"]["deploy"]["parameters"]["parameter_overrides"]
    assert "TryOut=false" in parameters


def test_the_gateway_verifies_the_id_tokens_of_people_on_the_one_route_that_takes_them(
    template: Template,
) -> None:
    routes = resources(template, "AWS::ApiGatewayV2::Route")
    assert {name for name, route in routes.items() if "AuthorizationType" in route} == {
        "SignInRoute"
    }
    route = routes["SignInRoute"]
    assert route["RouteKey"] == "POST /v2/oidc/token"
    assert (route["AuthorizationType"], route["AuthorizerId"]) == (
        "JWT",
        {"Ref": "PeopleAuthorizer"},
    )
    assert resources(template, "AWS::ApiGatewayV2::Authorizer") == {
        "PeopleAuthorizer": {
            "ApiId": {"Ref": "HttpApi"},
            "Name": "people",
            "AuthorizerType": "JWT",
            "IdentitySource": ["$request.header.Authorization"],
            "JwtConfiguration": {
                "Issuer": {"Ref": "OidcIssuer"},
                "Audience": [{"Ref": "OidcClientId"}],
            },
        }
    }


def test_people_can_sign_in_only_where_a_deployer_names_a_provider_and_a_client(
    template: Template,
) -> None:
    for name in ("SignInRoute", "PeopleAuthorizer"):
        assert template["Resources"][name]["Condition"] == "PeopleSignIn"
    assert template["Conditions"]["PeopleSignIn"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "OidcIssuer"}, ""]}]
    }
    pattern = template["Parameters"]["OidcIssuer"]["AllowedPattern"]
    for issuer, is_allowed in {
        "": True,
        "https://id.example.com/a/": True,
        "http://127.0.0.1:8010": True,  # the provider of the local stack
        "http://127.0.0.1:8010.example.com": False,
        "http://id.example.com": False,
        "https://id.example.com?a": False,
        "id.example.com": False,
    }.items():
        assert bool(re.fullmatch(pattern, issuer)) is is_allowed, issuer
    assert {"OidcIssuerNeedsClient", "OidcClientNeedsIssuer"} <= set(template["Rules"])


@pytest.mark.parametrize(
    ("query", "line", "fields"),
    [
        ("DeliveriesQuery", "delivery.batch", {"connector", "delivered", "failed", "dropped"}),
        ("FailuresQuery", "delivery.failed", {"connector", "kind", "status", "duration_ms"}),
    ],
)
def test_a_saved_query_reads_the_senders_log_by_connector(
    template: Template, query: str, line: str, fields: set[str]
) -> None:
    properties = resources(template, "AWS::Logs::QueryDefinition")[query]
    assert properties["LogGroupNames"] == [{"Ref": "SenderLogGroup"}]
    text = properties["QueryString"]
    assert f'filter message = "{line}"' in text
    assert fields <= set(re.findall(r"\w+", text))
    # The emulator does not know this type, and works without it.
    assert template["Resources"][query]["Condition"] == "SavesQueries"


def test_private_endpoints_are_refused_unless_a_deployer_allows_them(template: Template) -> None:
    for parameter in ("AllowedNetworks", "TrustedAuthoritiesFile"):
        assert template["Parameters"][parameter]["Default"] == ""


@pytest.mark.parametrize(
    ("alarm", "metric"),
    [
        ("ExpiredAlarm", "AWS-StackName Expired service=dataconnectors"),
        (
            "DeadLettersAlarm",
            "AWS/SQS ApproximateNumberOfMessagesVisible QueueName=DeadLetterQueue.QueueName",
        ),
        ("IngestErrorsAlarm", "AWS/Lambda Errors FunctionName=IngestFunction"),
        (
            "IngestFailuresAlarm",
            "AWS/SQS ApproximateNumberOfMessagesVisible QueueName=IngestFailuresQueue.QueueName",
        ),
        ("IngestNotAcceptedAlarm", "AWS-StackName NotAccepted service=dataconnectors"),
        ("IngestThrottlesAlarm", "AWS/Lambda Throttles FunctionName=IngestFunction"),
        ("LabelsLateAlarm", "AWS/Lambda IteratorAge FunctionName=LabelsFunction"),
        ("OldestMessageAlarm", "AWS-StackName OldestMessageAge service=dataconnectors"),
        ("ReconcilerDriftAlarm", "AWS-StackName Drift service=dataconnectors"),
        ("ReconcilerErrorsAlarm", "AWS/Lambda Errors FunctionName=ReconcilerFunction"),
        ("UnaccountedAlarm", "AWS-StackName Unaccounted service=dataconnectors"),
        ("SenderErrorsAlarm", "AWS/Lambda Errors FunctionName=SenderFunction"),
        ("SenderThrottlesAlarm", "AWS/Lambda Throttles FunctionName=SenderFunction"),
        ("ReplayErrorsAlarm", "AWS/Lambda Errors FunctionName=ReplayFunction"),
        ("SyncErrorsAlarm", "AWS/Lambda Errors FunctionName=SyncFunction"),
    ],
)
def test_an_alarm_watches_its_metric(template: Template, alarm: str, metric: str) -> None:
    properties = resources(template, "AWS::CloudWatch::Alarm")[alarm]
    (dimension,) = properties["Dimensions"]
    watched = (
        plain(properties["Namespace"], template),
        properties["MetricName"],
        f"{dimension['Name']}={plain(dimension['Value'], template)}",
    )
    assert " ".join(watched) == metric
    assert properties["AlarmDescription"]
    assert properties["ComparisonOperator"] == "GreaterThanThreshold"
    (choice,) = properties["AlarmActions"].values()
    assert choice[:2] == ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}]]


def test_an_alarm_is_raised_an_hour_before_an_event_expires(template: Template) -> None:
    properties = resources(template, "AWS::CloudWatch::Alarm")["OldestMessageAlarm"]
    assert properties["Threshold"] == 11 * 3600
    assert properties["Statistic"] == "Maximum"


def test_an_alarm_is_raised_when_the_reconciler_does_not_run(template: Template) -> None:
    properties = resources(template, "AWS::CloudWatch::Alarm")["ReconcilerErrorsAlarm"]
    assert properties["TreatMissingData"] == "breaching"


@pytest.mark.parametrize("name", ["Table", "SecretsKey"])
def test_customers_data_is_kept_when_a_resource_is_replaced(template: Template, name: str) -> None:
    assert template["Resources"][name]["UpdateReplacePolicy"] == "Retain"


def test_the_table_removes_expired_items_and_can_be_restored(template: Template) -> None:
    table = resources(template, "AWS::DynamoDB::Table")["Table"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}
    recovery = table["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": {"Ref": "TableRecovery"}}
    assert template["Parameters"]["TableRecovery"]["Default"] == "true"
    assert table["BillingMode"] == "PAY_PER_REQUEST"
