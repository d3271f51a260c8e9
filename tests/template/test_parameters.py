"""`make deploy` refuses what SAM would ignore, and what a function would refuse at its start."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.template.conftest import ROOT, SAM_TOOLS, Template
from tests.template.test_promises import resources
from tools.parameters import SETTINGS, out_of_range

SAMCONFIG = (ROOT / "samconfig.toml").read_text()
ENVIRONMENTS = {"dev": "default", "prod": "prod"}


def check(environment: str, samconfig: Path) -> tuple[int, str]:
    run = subprocess.run(
        [SAM_TOOLS / "python", "-m", "tools.parameters", environment, samconfig],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return run.returncode, run.stderr


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_parameters_of_each_environment_are_right(environment: str) -> None:
    assert check(environment, ROOT / "samconfig.toml") == (0, "")


@pytest.mark.parametrize(
    ("instead_of", "text", "problem"),
    [
        ("LogLevel=DEBUG", "LogLevle=DEBUG", "no parameter LogLevle: is it LogLevel?"),
        ("ResourceTags=", "ResourceTags=a b=c,", "no parameter b"),
        ("TryOut=true", "AttemptTimeout=30", "SenderFunction would not start: ATTEMPT_TIMEOUT 30"),
        ("TryOut=true", "MaximumConcurrency=1", "MaximumConcurrency is '1', but its MinValue is 2"),
        ("TryOut=true", "SenderMemory=4096", "SenderMemory is '4096', but its MaxValue is 3008"),
        ("TryOut=true", "SenderMemory=1GB", "SenderMemory is '1GB', expected a number"),
        (
            "TryOut=true",
            "TryOut=yes",
            "TryOut is 'yes', but its AllowedValues is ['true', 'false']",
        ),
        ("LogRetentionDays=7", "LogRetentionDays=8", "LogRetentionDays is '8', but its AllowedVal"),
        (
            "TryOut=true",
            "KmsKeyArn=alias/mine",
            "KmsKeyArn is 'alias/mine', but its AllowedPattern",
        ),
        ("TryOut=true", f"OidcClientId={'x' * 256}", "but its MaxLength is 255"),
        ("TryOut=true", "VpcSubnetIds=subnet-11111111", "VpcSubnetIds needs VpcSecurityGroupIds"),
        ("TryOut=true", "HostedZoneId=Z1", "HostedZoneId needs DomainName"),
        ("TryOut=true", "AllowedNetworks=10.0.0.1/8", "10.0.0.1/8 has host bits set"),
        ('"dataconnectors-dev"', f'"{"d" * 58}"', "has 58 characters, 57 at most"),
        ('"dataconnectors-dev"', '"dc_dev"', "stack_name is 'dc_dev'"),
    ],
)
def test_what_would_not_work_is_refused_before_anything_is_deployed(
    tmp_path: Path, instead_of: str, text: str, problem: str
) -> None:
    samconfig = tmp_path / "samconfig.toml"
    assert instead_of in SAMCONFIG
    samconfig.write_text(SAMCONFIG.replace(instead_of, text, 1))
    status, said = check("dev", samconfig)
    assert status == 1
    assert problem in said
    assert said.startswith("samconfig.toml [dev]: ")


def test_each_default_is_within_its_limits(template: Template) -> None:
    """And each kind of limit in the template is one that is checked."""
    for name, parameter in template["Parameters"].items():
        assert list(out_of_range(name, str(parameter["Default"]), parameter)) == []


def test_each_functions_settings_are_checked(template: Template) -> None:
    handlers = {
        name
        for name, properties in resources(template, "AWS::Lambda::Function").items()
        if properties["Handler"] == "app.lambda_handler"
    }
    # The console starts with any values: its page says what is wrong with the provider.
    assert SETTINGS.keys() == handlers - {"ConsoleFunction"}


@pytest.mark.parametrize("table", ENVIRONMENTS.values())
def test_what_is_made_at_run_time_gets_the_tags_of_the_stack(table: str) -> None:
    parameters = tomllib.loads(SAMCONFIG)[table]["deploy"]["parameters"]
    assert f"ResourceTags={','.join(parameters['tags'])}" in parameters["parameter_overrides"]
