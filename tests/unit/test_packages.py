"""The layer's packages import only packages below them, and their tests mirror them."""

import ast
import re
from collections.abc import Mapping

import pytest

from tools.packages import CORE, PICTURE, ROOT, draw, graph, imports, packages, rows

UNIT = ROOT / "tests/unit/dataconnectors"

MAY_IMPORT: Mapping[str, str] = {
    "kernel": "",
    "aws": "kernel",
    "events": "aws kernel",
    "devices": "events aws kernel",
    "connectors": "devices events aws kernel",
    "identity": "aws kernel",
    "endpoints": "connectors kernel",
    "expiry": "connectors aws kernel",
    "notices": "connectors aws kernel",
    "delivery": "endpoints expiry connectors events aws kernel",
    "provisioning": "expiry connectors aws kernel",
    "replay": "expiry connectors events aws kernel",
    "tryouts": "connectors aws kernel",
    "store": "tryouts delivery replay notices expiry identity connectors devices events kernel",
    "ingest": "store replay identity connectors devices events aws kernel",
    "services": (
        "ingest store tryouts delivery replay endpoints expiry identity connectors devices events "
        "aws kernel"
    ),
    "api": (
        "services ingest store tryouts replay endpoints identity connectors devices events aws "
        "kernel"
    ),
}
"""A package may import the packages beside it in this table, and no others. `receive` imports
nothing of ours, because customers copy that one file."""


def test_no_line_imports_what_its_package_may_not() -> None:
    wrong = [
        f"{each.path}:{each.line}: `{each.package}` may import {MAY_IMPORT[each.package] or None}, "
        f"not `{each.imported}`"
        for each in imports()
        if each.imported not in MAY_IMPORT[each.package].split()
    ]
    assert not wrong, "\n".join(wrong)


def test_every_package_is_in_the_table_and_may_import_only_what_it_needs() -> None:
    assert sorted(MAY_IMPORT) == packages()
    needed = {package: sorted(imported) for package, imported in graph().items()}
    assert needed == {package: sorted(may.split()) for package, may in MAY_IMPORT.items()}


def test_imports_go_down_and_an_error_names_a_circle() -> None:
    places = {package: level for level, row in enumerate(rows(graph())) for package in row}
    for package, imported in graph().items():
        assert all(places[package] < places[each] for each in imported)
    circle = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a")}
    with pytest.raises(ValueError, match="a -> b -> c -> a"):
        rows(circle)


@pytest.mark.parametrize("package", packages())
def test_a_package_says_what_it_is_for_and_holds_no_code(package: str) -> None:
    tree = ast.parse((CORE / package / "__init__.py").read_text())
    assert len(tree.body) == 1
    docstring = ast.get_docstring(tree) or ""
    assert len(docstring.splitlines()) >= 4, "its purpose, what may change, imports, where to start"
    words = " ".join(docstring.lower().split())
    assert "import" in words
    assert re.search(r"start(s| reading)? (with|in) ", words)


@pytest.mark.parametrize("package", packages())
def test_a_packages_tests_begin_with_the_name_of_one_of_its_modules(package: str) -> None:
    """So the place of a test follows from its module: a new module's tests have a file of their
    own, and a removed module leaves none behind."""
    for folder in [init.parent for init in (CORE / package).rglob("__init__.py")]:
        modules = {module.stem for module in folder.glob("*.py")} - {"__init__"}
        for test in (UNIT / folder.relative_to(CORE)).glob("test_*.py"):
            name = test.stem.removeprefix("test_")
            assert any(name == each or name.startswith(f"{each}_") for each in modules), (
                f"{test.relative_to(ROOT)} belongs to no module of {folder.relative_to(ROOT)}"
            )


def test_every_folder_of_tests_belongs_to_a_package() -> None:
    for test in UNIT.rglob("test_*.py"):
        assert (CORE / test.parent.relative_to(UNIT) / "__init__.py").exists(), test


def test_the_public_file_for_receivers_stands_alone() -> None:
    assert "dataconnectors" not in (CORE / "receive.py").read_text().replace(" dataconnectors/", "")


def test_the_picture_shows_the_imports_as_they_are() -> None:
    assert PICTURE.read_text() == draw(graph()), "run `make packages`"
