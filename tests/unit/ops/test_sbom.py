"""The list of licences has what the locks have, and says what each package declares."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ops.sbom import licence_of, licences, reproducible

ROOT = Path(__file__).parents[3]


def normal(name: str) -> str:
    """A package's name as locks have it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def listed(part: str) -> dict[str, str]:
    """The packages of a part, by the list of licences, with their versions."""
    rows = re.findall(
        r"^\| (\S+) \| (\S+) \| [^|]+ \| (\w+) \|$", (ROOT / "docs/licences.md").read_text(), re.M
    )
    return {normal(name): version for name, version, of in rows if of == part}


def test_the_list_of_licences_has_the_packages_of_the_layers_lock() -> None:
    lock = (ROOT / "layers/core/requirements.txt").read_text()
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))
    assert listed("layer") == locked, "run `make sbom`"


def test_the_list_of_licences_has_what_is_bundled_into_the_console() -> None:
    path = ROOT / "console/package-lock.json"
    packages = json.loads(path.read_text())["packages"] if path.exists() else {}
    bundled = {
        normal(name.rpartition("node_modules/")[2]): each["version"]
        for name, each in packages.items()
        if name and not each.get("dev")
    }
    assert listed("console") == bundled, "run `make sbom`"


@pytest.mark.parametrize(
    ("declared", "shown"),
    [
        ([{"license": {"id": "MIT"}}, {"license": {"id": "MIT-0"}}], "MIT, MIT-0"),
        ([{"license": {"id": "MPL-2.0"}}, {"license": {"name": "Mozilla"}}], "MPL-2.0"),
        ([{"license": {"name": "License :: OSI Approved :: BSD License"}}], "BSD License"),
        ([{"expression": "MIT OR Apache-2.0"}], "MIT OR Apache-2.0"),
        ([], "not declared"),
    ],
)
def test_a_licence_is_shown_as_it_is_declared(declared: list[Any], shown: str) -> None:
    component = {"name": "b", "version": "1", "licenses": declared}
    assert licence_of(component) == shown
    page = licences([("layer", {"components": [component, {"name": "A", "version": "2"}]})])
    assert page.endswith(f"| A | 2 | not declared | layer |\n| b | 1 | {shown} | layer |\n")


def test_nothing_of_an_sbom_depends_on_when_it_was_made() -> None:
    bom = {"serialNumber": "x", "metadata": {"timestamp": "now", "tools": []}, "components": []}
    assert reproducible(bom) == {"metadata": {"tools": []}, "components": []}
