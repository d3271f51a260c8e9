"""`make deploy` refuses what SAM would ignore, and what a function would refuse at its start."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.template.conftest import ROOT, SAM_TOOLS, Template
from tests.template.test_promises import resources
from tools.parameters import SETTINGS

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
