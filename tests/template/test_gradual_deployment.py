"""What the parameter SenderDeployment makes of the sender's alias."""

import json
from typing import Any

import pytest

from tests.template.conftest import Template, translated

ALIAS = "SenderFunctionAliaslive"


@pytest.fixture(scope="module")
def gradual() -> Any:
    """The template of a stack that deploys gradually."""
    return json.loads(translated("SenderDeployment=Linear10PercentEvery3Minutes"))


def types(template: Template) -> set[str]:
    return {resource["Type"] for resource in template["Resources"].values()}


def test_by_default_the_alias_moves_at_once_and_codedeploy_is_not_needed(
    template: Template,
) -> None:
    assert template["Parameters"]["SenderDeployment"]["Default"] == "AllAtOnce"
    assert "UpdatePolicy" not in template["Resources"][ALIAS]
    assert not any(kind.startswith("AWS::CodeDeploy::") for kind in types(template))


def test_each_way_but_all_at_once_is_gradual(template: Template) -> None:
    allowed = template["Parameters"]["SenderDeployment"]["AllowedValues"]
    ways = {
        name: way["IsGradual"] for name, way in template["Mappings"]["SenderDeployments"].items()
    }
    assert ways == {name: name != "AllAtOnce" for name in allowed}


def test_codedeploy_shifts_the_alias_and_goes_back_on_an_alarm(gradual: Any) -> None:
    resources = gradual["Resources"]
    policy = resources[ALIAS]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    group = resources[policy["DeploymentGroupName"]["Ref"]]["Properties"]
    assert group["DeploymentConfigName"] == {
        "Fn::Sub": "CodeDeployDefault.LambdaLinear10PercentEvery3Minutes"
    }
    alarms = [alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]]
    assert alarms == ["SenderErrorsAlarm", "DeadLettersAlarm"]
    assert {resources[name]["Type"] for name in alarms} == {"AWS::CloudWatch::Alarm"}
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    condition, role, _ = group["ServiceRoleArn"]["Fn::If"]
    assert resources[role["Fn::GetAtt"][0]]["Condition"] == condition == "DeploysGradually"


def test_the_alias_is_the_same_however_it_moves(template: Template, gradual: Any) -> None:
    """So that event source mappings need no change when the parameter changes."""
    both = [each["Resources"][ALIAS]["Properties"] for each in (template, gradual)]
    assert both[0]["Name"] == both[1]["Name"] == "live"
    assert template["Outputs"]["SenderAliasArn"] == gradual["Outputs"]["SenderAliasArn"]
