"""Which folder may import which, and which packages must not slow cold starts down."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "layers/core"

NEVER_IN_LAMBDA = {"aws-xray-sdk", "boto3", "cryptography", "pydantic", "requests"}
"""Each of them lengthens a cold start by a tenth to a half, and we use nothing of it."""

FORBIDDEN = {
    "layers/core/dataconnectors": {"bench", "client", "functions", "local", "ops", "tests"},
    "functions": {"bench", "client", "local", "ops", "tests"},
    "client": {"bench", "dataconnectors", "functions", "local", "ops", "tests"},
    "local": {"dataconnectors", "functions", "ops", "tests"},
    "ops": {"dataconnectors", "functions", "local", "tests"},
}


def imported(path: Path) -> Iterator[str]:
    """The top-level packages that a module imports, at any place."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_a_folder_imports_only_what_it_may(folder: str) -> None:
    link = ROOT / "functions/sender/core"  # a link to the layer, for the sender's build
    modules = [path for path in (ROOT / folder).rglob("*.py") if link not in path.parents]
    assert len(modules) > 1
    for module in modules:
        assert not set(imported(module)) & FORBIDDEN[folder], module


def test_only_handlers_read_the_environment() -> None:
    for module in (CORE / "dataconnectors").rglob("*.py"):
        assert "os.environ" not in module.read_text(), module


def test_the_layer_has_no_package_that_slows_cold_starts() -> None:
    lock = (CORE / "requirements.txt").read_text()
    packages = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    assert {"botocore", "pyjwt", "urllib3", "certifi", "aws-lambda-powertools"} <= packages
    assert not packages & NEVER_IN_LAMBDA


@pytest.mark.parametrize("function", ["ingest", "sender"])
def test_the_hot_functions_use_no_resolver_tracer_or_parser(function: str) -> None:
    """The test looks at the modules of Powertools that the functions and their imports name."""
    seen: set[Path] = set()
    todo = [ROOT / "functions" / function / "app.py"]
    names: set[str] = set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
            candidates = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            todo += [
                file
                for name in candidates
                if (file := CORE / (name.replace(".", "/") + ".py")).is_file()
            ]
    powertools = {name for name in names if name.startswith("aws_lambda_powertools")}
    assert powertools == {"aws_lambda_powertools.logging.Logger"}
    assert len(seen) > 10
