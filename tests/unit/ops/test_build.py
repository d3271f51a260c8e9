"""Which interpreter and folders the build uses, and that its layout is that of SAM."""

import os
import sys
from pathlib import Path

import pytest

from ops.build import built_template, sources
from ops.interpreter import candidates, lambda_interpreter, usable

ROOT = Path(__file__).parents[3]
THIS_VERSION = (sys.version_info[0], sys.version_info[1])

TEMPLATE = """\
Resources:
  SenderFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/sender/
      Timeout: 30
  CoreLayer:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layers/core/
Outputs:
  ApiId:
    Value: !Ref HttpApi
"""


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_each_folder_to_package_is_found_with_its_resource() -> None:
    assert [(source.logical_id, str(source.folder)) for source in sources(TEMPLATE)] == [
        ("SenderFunction", "functions/sender"),
        ("CoreLayer", "layers/core"),
    ]


def test_the_built_template_differs_only_in_the_names_of_artefacts() -> None:
    expected = TEMPLATE.replace("functions/sender/", "SenderFunction")
    assert built_template(TEMPLATE) == expected.replace("layers/core/", "CoreLayer")


def test_the_projects_template_can_be_read() -> None:
    folders = [str(source.folder) for source in sources((ROOT / "template.yaml").read_text())]
    functions = (
        "ingest",
        "sender",
        "labels",
        "sync",
        "replay",
        "config_api",
        "try_out",
        "console",
        "reconciler",
        "admin",
    )
    assert folders == [*(f"functions/{name}" for name in functions), "layers/core"]


def test_an_interpreter_is_found_by_the_version_that_it_prints() -> None:
    found = usable(Path(sys.executable), THIS_VERSION)
    assert found is not None
    assert found.samefile(sys.executable)


@pytest.mark.parametrize(
    "text",
    [
        'echo "pyenv: python3.13: command not found" >&2; exit 127',
        "echo \"No module named 'ensurepip'\" >&2; exit 1",
        "echo 2 7 /usr/bin/python",
    ],
    ids=["a version manager's stand-in", "without venv", "another version"],
)
def test_an_unusable_interpreter_is_skipped(tmp_path: Path, text: str) -> None:
    assert usable(program(tmp_path / "python3.13", text)) is None


def test_a_file_that_is_not_executable_is_skipped(tmp_path: Path) -> None:
    assert usable(tmp_path / "nothing") is None


def test_the_version_managers_interpreter_is_found_when_its_shim_fails(tmp_path: Path) -> None:
    program(tmp_path / "shims" / "python3.13", "exit 127")
    versions = tmp_path / "pyenv" / "versions"
    older = program(versions / "3.13.9" / "bin" / "python3.13", "echo 3 13 /older")
    newer = program(versions / "3.13.10" / "bin" / "python3.13", "echo 3 13 /newer")
    env = {"PATH": str(tmp_path / "shims"), "PYENV_ROOT": str(tmp_path / "pyenv")}
    assert [path for path in candidates(env) if path in (newer, older)] == [newer, older]
    assert lambda_interpreter(env) == Path("/newer")


def test_pyenv_is_looked_for_in_the_home_folder(tmp_path: Path) -> None:
    wanted = program(tmp_path / ".pyenv/versions/3.13.1/bin/python3.13", "echo 3 13 /found")
    assert wanted in candidates({"PATH": os.defpath, "HOME": str(tmp_path)})
