"""Which package of the layer may import which, and that the picture of it is true."""

import ast
import re
from collections.abc import Mapping

import pytest

from tools.packages import CORE, PICTURE, draw, graph, imports, packages, rows

MAY_IMPORT: Mapping[str, str] = {
    "kernel": "",
    "aws": "kernel",
    "events": "aws kernel",
    "devices": "events aws kernel",
    "connectors": "devices events aws kernel",
    "identity": "aws kernel",
    "endpoints": "connectors kernel",
    "expiry": "connectors kernel",
    "delivery": "endpoints expiry connectors events aws kernel",
    "provisioning": "expiry connectors aws kernel",
    "store": "delivery expiry identity connectors devices events kernel",
    "ingest": "store identity connectors devices events aws kernel",
    "services": "store delivery identity connectors devices aws kernel",
    "api": "services ingest store endpoints identity connectors devices events aws kernel",
}
"""A package in this list may import those behind it, and no others. `receive` imports nothing of
ours: customers copy that one file."""


def test_no_line_imports_what_its_package_may_not() -> None:
    wrong = [
        f"{each.path}:{each.line}: `{each.package}` may import {MAY_IMPORT[each.package] or None}, "
        f"not `{each.imported}`"
        for each in imports()
        if each.imported not in MAY_IMPORT[each.package].split()
    ]
    assert not wrong, "\n".join(wrong)


def test_every_package_is_in_the_table_and_allows_no_more_than_it_needs() -> None:
    assert sorted(MAY_IMPORT) == packages()
    needed = {package: sorted(imported) for package, imported in graph().items()}
    assert needed == {package: sorted(may.split()) for package, may in MAY_IMPORT.items()}


def test_imports_go_down_and_a_circle_is_named() -> None:
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
    assert len(docstring.splitlines()) >= 4, "what for, what may change, what it imports, a start"
    words = " ".join(docstring.lower().split())
    assert "import" in words
    assert re.search(r"start(s| reading)? (with|in) ", words)


def test_the_public_file_for_receivers_stands_alone() -> None:
    assert "dataconnectors" not in (CORE / "receive.py").read_text().replace(" dataconnectors/", "")


def test_the_picture_shows_the_imports_as_they_are() -> None:
    assert PICTURE.read_text() == draw(graph()), "run `make packages`"
