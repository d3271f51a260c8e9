"""Evaluates what the functions need, and what they must not do, under their own policies."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.permissions import evaluator, refusals
from tests.permissions.calls import ATTRIBUTES, Permission, connector_queue
from tests.permissions.evaluator import Policy, Question
from tests.permissions.recorder import Recorded
from tests.permissions.stack import Stack

POLLED = {
    "dynamodb": ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"),
    "sqs": ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage"),
}
"""AWS: what Lambda's poller takes from the function's role, by the kind of source."""

SENT_TO = {"sqs": "SendMessage"}
"""AWS: what Lambda takes from the function's role to write to a destination."""

LOGGED = {"logs:CreateLogStream": "*", "logs:PutLogEvents": "log-stream:x"}
"""AWS: what Lambda takes from each function's role for its log, and on what of the log group."""

UNSCOPED = ("dynamodb:ListStreams",)
"""Actions of a poller that have no resource."""

NOT_NARROWED = ("lambda:FunctionArn",)
"""Condition keys of which every value stays. AWS does not say whether this one has the alias."""


class Need(NamedTuple):
    """What a function needs, and whether its own code does (or Lambda, on its behalf)."""

    folder: str
    permission: Permission
    recorded: bool


class Removal(NamedTuple):
    """A part of a function's policies, and what the function cannot do without it, if anything."""

    folder: str
    statement: str
    part: str
    denied: Sequence[Permission]


class Matrix(NamedTuple):
    """The result. Each of `needs` and `refused` comes with whether it is allowed."""

    needs: Sequence[tuple[Need, bool]]
    removals: Sequence[Removal]
    refused: Sequence[tuple[str, Permission, bool]]

    def mistakes(self) -> list[str]:
        """What is wrong, as sentences."""
        return [
            *(
                f"{need.folder} needs {need.permission}"
                for need, is_allowed in self.needs
                if not is_allowed
            ),
            *(
                f"{each.folder}: nothing needs {each.part} in {each.statement}"
                for each in self.removals
                if not each.denied
            ),
            *(
                f"{folder} may {permission}"
                for folder, permission, is_allowed in self.refused
                if is_allowed
            ),
        ]


def needs(stack: Stack, recorded: Recorded) -> Iterator[Need]:
    """What the functions' code needs, and what Lambda does with their roles."""
    polled = set(stack.mappings())
    for folder, permissions in recorded.items():
        for permission in permissions:
            yield Need(folder, permission, recorded=True)
            if permission.action == "lambda:CreateEventSourceMapping":
                function = dict(permission.context)["lambda:FunctionArn"][0]
                polled.add((stack.folder_of_arn(function), connector_queue()))
    for folder, source in polled:
        service = source.split(":")[2]
        for name in POLLED[service]:
            action = f"{service}:{name}"
            resource = "*" if action in UNSCOPED else source
            yield Need(folder, Permission(action, resource), recorded=False)
    for folder in stack.folders.values():
        for action, inside in LOGGED.items():
            permission = Permission(action, f"{stack.log_group(folder)}:{inside}")
            yield Need(folder, permission, recorded=False)
    for folder, destination in stack.destinations():
        service = destination.split(":")[2]
        permission = Permission(f"{service}:{SENT_TO[service]}", destination)
        yield Need(folder, permission, recorded=False)


def evaluate(stack: Stack, recorded: Recorded) -> Matrix:
    """Evaluate everything, in two runs of the evaluator."""
    roles = {folder: stack.role(folder) for folder in stack.folders.values()}
    policies: dict[str, Sequence[Policy]] = {"key": [stack.key_policy()]}
    for folder, role in roles.items():
        policies[folder] = [*role.own, *role.managed]
    needed = sorted(set(needs(stack, recorded)))
    by_function = {
        folder: {need.permission for need in needed if need.folder == folder} for folder in roles
    }
    log_groups = {folder: stack.log_group(folder) for folder in roles}
    forbidden = sorted(set(refusals.refused(by_function, log_groups)))
    questions = [
        *(Question(need.folder, need.permission) for need in needed),
        *(Question(folder, permission) for folder, permission in forbidden),
    ]
    answers = evaluator.allowed(policies, questions)

    parts: list[tuple[str, str, str]] = []
    asked: list[tuple[int, Question]] = []
    for folder, role in roles.items():
        for statement, part, action, rest in without_each_part(role.own):
            name = f"{folder}-{len(parts)}"
            policies[name] = [*rest, *role.managed]
            asked += [
                (len(parts), Question(name, need.permission))
                for need in needed
                if need.folder == folder
                and action in ("", need.permission.action)
                and (not part.startswith(ATTRIBUTES) or _names(need.permission, part))
            ]
            parts.append((folder, statement, part))
    denied: dict[int, list[Permission]] = {}
    still = evaluator.allowed(policies, [question for _, question in asked])
    for (number, question), is_allowed in zip(asked, still, strict=True):
        if not is_allowed:
            denied.setdefault(number, []).append(question.permission)
    return Matrix(
        list(zip(needed, answers[: len(needed)], strict=True)),
        [Removal(*part, denied.get(number, ())) for number, part in enumerate(parts)],
        [
            (folder, permission, is_allowed)
            for (folder, permission), is_allowed in zip(
                forbidden, answers[len(needed) :], strict=True
            )
        ],
    )


def _names(permission: Permission, part: str) -> bool:
    """Whether a call names the attribute that `part` is about."""
    return (ATTRIBUTES, (part.removeprefix(ATTRIBUTES).strip(),)) in permission.context


def without_each_part(
    own: Sequence[Policy],
) -> Iterator[tuple[str, str, str, Sequence[Policy]]]:
    """Policies without one action, resource or value of a condition, for each one there is.

    Yields the statement, the part, the action that alone can be affected ("": any), and the rest.
    """
    for at, policy in enumerate(own):
        for number, statement in enumerate(listed(policy["Statement"])):
            if statement["Effect"] == "Deny":
                continue  # What it denies is among what no function may do
            sid = statement.get("Sid", f"statement {number + 1}")
            for part, action, rest in _without_part(statement):
                changed: Any = dict(copy.deepcopy(policy))
                if part.startswith(ATTRIBUTES):
                    # A call names several attributes, and one statement has to allow all of them.
                    yield sid, part, action, [changed | {"Statement": [rest]}]
                    continue
                changed["Statement"] = listed(changed["Statement"])
                changed["Statement"][number : number + 1] = [rest] if rest else []
                policies = [*own[:at], *([changed] if changed["Statement"] else []), *own[at + 1 :]]
                yield sid, part, action, policies


def _without_part(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    for name in ("Action", "Resource"):
        values = listed(statement[name])
        for value in values:
            rest = [each for each in values if each != value]
            # A statement with one resource for its actions goes with each of them.
            if rest or name == "Action":
                action = value if name == "Action" else ""
                yield value, action, {**statement, name: rest} if rest else None
    for operator, keys in statement.get("Condition", {}).items():
        for key, given in keys.items():
            values = listed(given)
            for value in values if len(values) > 1 and key not in NOT_NARROWED else ():
                rest = [each for each in values if each != value]
                condition = {**statement["Condition"], operator: {**keys, key: rest}}
                yield f"{key} {value}", "", {**statement, "Condition": condition}


def listed(value: Any) -> list[Any]:
    """What a policy gives as one value or as a list, as a list."""
    return value if isinstance(value, list) else [value]
