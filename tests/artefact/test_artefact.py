"""What is deployed: every file of the artefact, its bytecode, and that a build can be repeated."""

import filecmp
import fnmatch
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = ROOT / ".aws-sam" / "build"
RUNTIME = ROOT / ".venv" / "runtime" / "bin" / "python3"
LAYER = BUILD / "CoreLayer" / "python"
PACKAGE = ROOT / "layers" / "core" / "dataconnectors"

SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers", "ops")
"""What a build reads, besides the environments."""

FURTHER_FILES = {"SenderFunction": {"core.cksum"}}
"""Files of a function besides app.py: functions/sender/Makefile says why."""

SITE = "files/"
"""Where the console's function has what console/build.mjs has made."""

PACKAGES = {
    "aws_lambda_powertools",
    "botocore",
    "certifi",
    "dataconnectors",
    "dateutil",  # For botocore
    "jmespath",  # For botocore and powertools
    "jwt",
    "six.py",  # For dateutil
    "typing_extensions.py",  # For powertools
    "urllib3",
}
"""The packages of the layer. boto3 is not among them."""

DATA = [
    "aws_lambda_powertools/py.typed",
    "botocore/cacert.pem",  # What botocore trusts when AWS_CA_BUNDLE is not set
    "botocore/data/*.json",
    "certifi/cacert.pem",
    "certifi/py.typed",
    "dataconnectors/authorities/aws.pem",
    "dataconnectors/authorities/public/????????.?",
    "dataconnectors/py.typed",
    "jwt/py.typed",
    "urllib3/py.typed",
    # What a licence asks to be passed on, and what the package is.
    "*.dist-info/METADATA",
    "*.dist-info/WHEEL",
    "*.dist-info/LICENSE*",
    "*.dist-info/NOTICE",
    "*.dist-info/licenses/*",
    "*.dist-info/top_level.txt",
    "*.dist-info/zip-safe",
]
"""Patterns of the layer's files that are not Python."""

NEVER = [
    "*/tests/*",
    "*/test_*.py",
    "*conftest.py",
    "*.so*",
    "*/.git*",
    "*Makefile",
    "*requirements*",
    "aws_lambda_powertools/utilities/idempotency/*",
    "boto3*",
    "s3transfer*",
    "pip*",
    "setuptools*",
    "bin/*",
]
"""Patterns that no file of the layer has."""

CHECK_BYTECODE = """
import importlib.util, json, pathlib, sys
wrong = []
for source in pathlib.Path(sys.argv[1]).rglob("*.py"):
    compiled = pathlib.Path(importlib.util.cache_from_source(str(source)))
    if not compiled.exists():
        wrong.append(f"{source} has no bytecode")
        continue
    head = compiled.read_bytes()[:16]
    if head[:4] != importlib.util.MAGIC_NUMBER:
        wrong.append(f"{compiled} is of another Python")
    elif int.from_bytes(head[4:8], "little") != 0b01:
        wrong.append(f"{compiled} is compared with its source")
    elif head[8:] != importlib.util.source_hash(source.read_bytes()):
        wrong.append(f"{compiled} is of another source")
for compiled in pathlib.Path(sys.argv[1]).rglob("*.pyc"):
    if not pathlib.Path(importlib.util.source_from_cache(str(compiled))).exists():
        wrong.append(f"{compiled} has no source")
json.dump(wrong, sys.stdout)
"""
"""Run by the artefact's Python, because the format of bytecode is that of a version."""


def files(folder: Path) -> set[str]:
    """The paths of the files below a folder, relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def sources(folder: Path) -> set[str]:
    """The files below a folder that are not bytecode."""
    return {path for path in files(folder) if not path.endswith(".pyc")}


def functions() -> Iterator[Path]:
    return (path for path in BUILD.iterdir() if path.is_dir() and path.name != "CoreLayer")


def test_every_function_is_built_and_has_its_handler_alone() -> None:
    built = {path.name: sources(path) for path in functions()}
    assert len(built) == len(list((ROOT / "functions").glob("*/app.py")))
    built["ConsoleFunction"] -= {f"{SITE}{name}" for name in site_files()}
    for name, found in built.items():
        assert found == {"app.py"} | FURTHER_FILES.get(name, set()), name


def site_files() -> set[str]:
    """The console's files by its own list: each as it is and in two encodings, and the list."""
    names = json.loads((ROOT / "functions/console/files/files.json").read_text())
    return {"files.json"} | {f"{name}{end}" for name in names for end in ("", ".br", ".gz")}


def test_the_console_has_the_files_of_its_list_and_no_other() -> None:
    assert files(BUILD / "ConsoleFunction" / SITE) == site_files()


def test_the_layer_has_these_packages() -> None:
    assert [path.name for path in (BUILD / "CoreLayer").iterdir()] == ["python"]
    found = {path.name for path in LAYER.iterdir() if path.name != "__pycache__"}
    assert {name for name in found if not name.endswith(".dist-info")} == PACKAGES


def test_the_layer_has_the_whole_domain_package() -> None:
    generated = {path for path in files(LAYER / "dataconnectors") if "authorities/" in path}
    assert sources(LAYER / "dataconnectors") - generated == sources(PACKAGE)


def test_the_layer_has_data_of_the_services_that_functions_call_and_of_no_other() -> None:
    apps = [path.read_text() for path in (ROOT / "functions").glob("*/app.py")]
    called = {name for app in apps for name in re.findall(r"clients\.\w+\(\s*\"(\w+)\"", app)}
    folders = {path.name for path in (LAYER / "botocore/data").iterdir() if path.is_dir()}
    assert folders == called


def test_every_other_file_of_the_layer_is_listed() -> None:
    other = {path for path in sources(LAYER) if not path.endswith(".py")}
    assert {
        path for path in other if not any(fnmatch.fnmatch(path, each) for each in DATA)
    } == set()
    unused = {each for each in DATA if not fnmatch.filter(other, each)}
    assert unused == set()


@pytest.mark.parametrize("pattern", NEVER)
def test_the_layer_has_no_such_file(pattern: str) -> None:
    assert fnmatch.filter(files(LAYER), pattern) == []


def test_every_module_has_bytecode_that_is_never_compared_with_it() -> None:
    run = subprocess.run(
        [RUNTIME, "-c", CHECK_BYTECODE, BUILD], capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == []


def test_a_build_in_another_folder_is_the_same(tmp_path: Path) -> None:
    """File by file: content, mode and names. SAM zips them without the times of files."""
    elsewhere = tmp_path / "another folder"
    elsewhere.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, elsewhere / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, elsewhere / name)
    (elsewhere / ".venv").symlink_to(ROOT / ".venv")
    run = subprocess.run(
        [sys.executable, "-m", "ops.build"],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        umask=0o077,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    again = elsewhere / ".aws-sam" / "build"
    assert files(again) == files(BUILD)
    _, differing, unreadable = filecmp.cmpfiles(BUILD, again, files(BUILD), shallow=False)
    assert (differing, unreadable) == ([], [])
    for path in files(BUILD):
        assert (again / path).stat().st_mode == (BUILD / path).stat().st_mode, path
