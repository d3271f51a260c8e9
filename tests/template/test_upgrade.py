"""CloudFormation can update a stack of the last release in place, and back, and replaces no data.

What an update replaces is in CloudFormation's own schemas of resources, which cfn-lint brings.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.template.conftest import SAM_TOOLS, Template
from tests.upgrades.release import RELEASES, TEMPLATE, last_version

STATEFUL = {
    "AWS::ApiGatewayV2::Api",  # its id is in the URL that clients use
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Lambda::Alias",  # every event source mapping names it
    "AWS::SQS::Queue",
}
"""Types whose resources hold something that must outlive every update."""

REPLACED = {"AWS::Lambda::LayerVersion", "AWS::Lambda::Permission", "AWS::Lambda::Version"}
"""Types whose resources an update may replace: they hold nothing, and have no name of ours."""


@pytest.fixture(scope="module")
def last() -> Template:
    """The translated template of the last release."""
    value: Template = json.loads((RELEASES / last_version() / TEMPLATE).read_text())
    return value


@cache
def _schemas() -> tuple[Path, dict[str, str]]:
    (folder,) = (SAM_TOOLS.parent / "lib").glob("python3*/site-packages/cfnlint/data/schemas")
    return folder, json.loads((folder / "providers" / "us-east-1.json").read_text())


@cache
def create_only(kind: str) -> tuple[tuple[str, ...], ...]:
    """The paths of a type's properties that cannot change without a replacement."""
    folder, names = _schemas()
    schema = json.loads((folder / "resources" / f"{names[kind]}.json").read_text())
    found = [
        path.split("/")[2:]
        for name in ("createOnlyProperties", "conditionalCreateOnlyProperties")
        for path in schema.get(name, ())
    ]
    return tuple(tuple(path) for path in found)


def value_at(properties: Any, path: tuple[str, ...]) -> Any:
    """The value at a path of a schema. What is below a list is compared as a whole."""
    for name in path:
        if name == "*" or not isinstance(properties, dict):
            break
        properties = properties.get(name)
    return properties


def replacements(before: Template, after: Template) -> Iterator[str]:
    """What an update would replace, or remove although it holds something."""
    for name, old in before["Resources"].items():
        new = after["Resources"].get(name)
        kind = old["Type"]
        if kind in REPLACED:
            continue
        if new is None:
            if kind in STATEFUL:
                yield f"{name} is gone"
            continue
        if new["Type"] != kind:
            yield f"{name} is {new['Type']}, not {kind}"
            continue
        for path in create_only(kind):
            given = [value_at(each.get("Properties", {}), path) for each in (old, new)]
            if given[0] != given[1]:
                yield f"{name}.{'.'.join(path)} is {given[1]}, not {given[0]}"


def test_an_upgrade_replaces_nothing_that_holds_something_or_has_a_name(
    last: Template, template: Template
) -> None:
    assert list(replacements(last, template)) == []


def test_a_rollback_replaces_nothing_that_the_last_release_had(
    last: Template, template: Template
) -> None:
    """It removes what the present template has added."""
    shared = {
        name: each for name, each in template["Resources"].items() if name in last["Resources"]
    }
    assert list(replacements({"Resources": shared}, last)) == []


def test_a_replacement_is_noticed(last: Template) -> None:
    changed: Any = json.loads(json.dumps(last))
    changed["Resources"]["Table"]["Properties"]["KeySchema"].pop()
    changed["Resources"]["SenderFunctionAliaslive"]["Properties"]["Name"] = "other"
    del changed["Resources"]["SecretsKey"]
    changed["Resources"]["HttpApiLogGroup"]["Properties"]["LogGroupName"] = "other"
    found = [line.partition(" is ")[0] for line in replacements(last, changed)]
    assert sorted(found) == [
        "HttpApiLogGroup.LogGroupName",
        "SecretsKey",
        "SenderFunctionAliaslive.Name",
        "Table.KeySchema",
    ]


def test_the_parameters_of_a_deployment_are_still_valid(last: Template, template: Template) -> None:
    assert last["Parameters"].keys() - template["Parameters"].keys() == set()
    added = template["Parameters"].keys() - last["Parameters"].keys()
    assert [name for name in sorted(added) if "Default" not in template["Parameters"][name]] == []


def test_what_others_read_of_the_stack_is_still_there(last: Template, template: Template) -> None:
    assert last["Outputs"].keys() - template["Outputs"].keys() == set()
    assert template["Outputs"]["SenderAliasArn"] == last["Outputs"]["SenderAliasArn"]


def test_mappings_are_made_for_the_alias(template: Template) -> None:
    alias = template["Outputs"]["SenderAliasArn"]["Value"]
    assert template["Resources"][alias["Ref"]]["Properties"]["Name"] == "live"
    for function in ("ConfigApiFunction", "ReconcilerFunction"):
        variables = template["Resources"][function]["Properties"]["Environment"]["Variables"]
        assert variables["SENDER_ARN"] == alias
