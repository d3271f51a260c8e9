"""`make package` makes a template that CloudFormation takes, with the artefact in zips."""

import io
import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.package import package
from tests.artefact.test_artefact import BUILD, ROOT
from tests.template.conftest import SAM_TOOLS

LIMIT = 50 * 1024 * 1024
"""Bytes. AWS: the largest zip of a layer or function that Lambda's console and API take by hand; by
S3 it may be larger, but ours has no reason to be."""

TEMPLATE_LIMIT = 1024 * 1024
"""Bytes. AWS: a template that CloudFormation reads from S3."""


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("package") / "out"
    package(BUILD, out, out, "")
    return out


@pytest.fixture(scope="module")
def resources(packaged: Path) -> dict[str, Any]:
    """The resources as CloudFormation sees them."""
    translated = subprocess.run(
        [
            SAM_TOOLS / "python",
            ROOT / "tests/template/translate.py",
            packaged / "template.yaml",
        ],
        capture_output=True,
        text=True,
    )
    assert translated.returncode == 0, translated.stderr
    found: dict[str, Any] = json.loads(translated.stdout)["Resources"]
    return found


def objects(resources: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The name of each function and layer, and of its zip in the bucket of the parameter."""
    for name, resource in resources.items():
        kind, properties = resource["Type"], resource["Properties"]
        if kind in ("AWS::Lambda::Function", "AWS::Lambda::LayerVersion"):
            code = properties["Code" if kind.endswith("Function") else "Content"]
            assert code["S3Bucket"] == {"Ref": "ArtefactBucket"}, name
            yield name, code["S3Key"]["Fn::Sub"].removeprefix("${ArtefactPrefix}")


def test_every_function_and_the_layer_come_from_a_zip_of_the_package(
    packaged: Path, resources: dict[str, Any]
) -> None:
    named = dict(objects(resources))
    folders = {path.name for path in BUILD.iterdir() if path.is_dir()}
    assert len(named) == len(folders)
    assert {path.name for path in packaged.glob("*.zip")} == set(named.values())
    for zip_name in named.values():
        content = (packaged / zip_name).read_bytes()
        assert len(content) < LIMIT
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None
            files = sorted(archive.namelist())
        assert any(
            files
            == sorted(
                path.relative_to(BUILD / folder).as_posix()
                for path in (BUILD / folder).rglob("*")
                if path.is_file()
            )
            for folder in folders
        ), zip_name


def test_the_template_fits_into_cloudformation_and_names_no_folder(packaged: Path) -> None:
    assert (packaged / "template.yaml").stat().st_size < TEMPLATE_LIMIT
    assert not re.search(r"(CodeUri|ContentUri): \S", (packaged / "template.yaml").read_text())
