"""What the roles of the functions are allowed, by IAM's own simulation."""

from collections.abc import Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from ops.smoke.report import Report, one_line
from ops.smoke.target import Target

IAM = "IAM denies what it should"

DENIED: Mapping[str, Sequence[tuple[str, str]]] = {
    "SenderFunctionRole": (
        ("sqs:SendMessage", "arn:{partition}:sqs:{region}:{account}:another-queue"),
        ("dynamodb:GetItem", "arn:{partition}:dynamodb:{region}:{account}:table/another"),
        ("logs:CreateLogGroup", "arn:{partition}:logs:{region}:{account}:log-group:another"),
        ("iam:CreateUser", "*"),
    ),
    "IngestFunctionRole": (
        ("sqs:ReceiveMessage", "arn:{partition}:sqs:{region}:{account}:{stack}-c-x"),
        ("dynamodb:DeleteItem", "{table}"),
        ("lambda:CreateEventSourceMapping", "*"),
    ),
    "ConfigApiFunctionRole": (
        ("sqs:DeleteQueue", "arn:{partition}:sqs:{region}:{account}:{stack}-c-x"),
        ("kms:ScheduleKeyDeletion", "{key}"),
        ("iam:PassRole", "*"),
    ),
    "ReconcilerFunctionRole": (
        ("sqs:ReceiveMessage", "arn:{partition}:sqs:{region}:{account}:{stack}-c-x"),
        ("kms:Decrypt", "{key}"),
    ),
    "AdminFunctionRole": (("kms:Decrypt", "{key}"), ("sqs:SendMessage", "*")),
}
"""What the roles of functions must not be allowed, by the role's name in template.yaml."""

ALLOWED = ("AdminFunctionRole", "dynamodb:PutItem", "{table}")
"""Something that a role is allowed: without it, refusals would prove nothing."""


def check_roles(target: Target, report: Report) -> None:
    """Ask IAM itself what the functions' roles are allowed."""
    roles = target.resources("AWS::IAM::Role")
    names = _names(target)
    iam = target.session.client("iam")

    def is_allowed(role: str, action: str, resource: str) -> bool:
        arn = f"arn:{names['partition']}:iam::{names['account']}:role/{roles[role]}"
        answer = iam.simulate_principal_policy(
            PolicySourceArn=arn,
            ActionNames=[action],
            ResourceArns=[resource.format_map(names)],
        )
        return any(each["EvalDecision"] == "allowed" for each in answer["EvaluationResults"])

    try:
        role, action, resource = ALLOWED
        if not is_allowed(role, action, resource):
            report.add(IAM, "not reachable", f"it does not even allow {action}")
            return
        wrong = [
            f"{role} may {action}"
            for role, denied in DENIED.items()
            for action, resource in denied
            if is_allowed(role, action, resource)
        ]
    except (ClientError, BotoCoreError) as error:
        report.add(IAM, "not reachable", one_line(error))
        return
    checked = sum(map(len, DENIED.values()))
    report.judge(IAM, not wrong, "; ".join(wrong) or f"{checked} refusals by simulation")


def _names(target: Target) -> Mapping[str, str]:
    """The values of the placeholders in `DENIED`."""
    found = target.outputs()
    _, partition, _, region, account, *_ = found["SenderAliasArn"].split(":")
    return {
        "partition": partition,
        "region": region,
        "account": account,
        "stack": target.name,
        "table": f"arn:{partition}:dynamodb:{region}:{account}:table/{found['TableName']}",
        "key": found["SecretsKeyArn"],
    }
