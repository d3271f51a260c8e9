"""A deployer's command that lacks a Region or credentials prints one line that says what to set."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

from ops import admin, dead_letters, destroy, restore
from ops.aws import explained
from ops.stacks import StackError

COMMANDS = pytest.mark.parametrize(
    "command", [admin.main, destroy.main, dead_letters.main, restore.main]
)


@pytest.fixture(autouse=True)
def unconfigured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove all configuration: environment, files and the machine's role."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("builtins.input", lambda prompt: "dc")


def said(
    command: Callable[[], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The one line on standard error of a command that fails."""
    monkeypatch.setattr(sys, "argv", ["command", "--stack", "dc"])
    assert command() == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line


@COMMANDS
def test_a_command_without_a_region_says_what_to_set(
    command: Callable[[], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = said(command, monkeypatch, capsys)
    assert "no Region" in line
    assert "set AWS_DEFAULT_REGION" in line


@COMMANDS
@pytest.mark.parametrize("partial", [False, True])
def test_a_command_without_credentials_says_what_to_set(
    command: Callable[[], int],
    partial: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    if partial:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    line = said(command, monkeypatch, capsys)
    assert "no AWS credentials" in line
    assert "AWS_PROFILE" in line


@COMMANDS
def test_a_command_with_an_unknown_profile_names_it(
    command: Callable[[], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "misspelt")
    assert "misspelt" in said(command, monkeypatch, capsys)


def test_any_other_error_of_aws_is_one_line() -> None:
    with pytest.raises(StackError, match="Could not connect"), explained():
        raise EndpointConnectionError(endpoint_url="https://x", error="a\nb")
