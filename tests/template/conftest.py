"""The template as CloudFormation sees it, translated once for all tests."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SAM_TOOLS = ROOT / ".venv" / "sam" / "bin"

Template = Mapping[str, Any]


def translated(*parameters: str) -> str:
    """The translated template, as JSON, with parameters such as `Tracing=Active`."""
    if not (SAM_TOOLS / "python").exists():
        pytest.fail("there is no .venv/sam: run `make install`")
    run = subprocess.run(
        [
            SAM_TOOLS / "python",
            Path(__file__).with_name("translate.py"),
            ROOT / "template.yaml",
            *parameters,
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="session")
def translated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The translated template as a file."""
    path = tmp_path_factory.mktemp("template") / "translated.json"
    path.write_text(translated())
    return path


@pytest.fixture(scope="session")
def template(translated_file: Path) -> Template:
    """The translated template."""
    value: Template = json.loads(translated_file.read_text())
    return value
