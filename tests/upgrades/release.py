"""A release's code, imported beside the present code under a name of its own.

Two releases of a package cannot be imported into one process under one name, and processes would
take seconds to start. So the sources of an earlier release are unpacked with another name in their
import statements, `dataconnectors_1_0_0`. Nothing else in them is changed.
"""

import importlib
import io
import json
import pkgutil
import re
import sys
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
RELEASES = Path(__file__).with_name("releases")

SOURCE = "source.tar.xz"
STATE = "state.json"
TEMPLATE = "template.json"
"""What is kept of a release: its sources, what it wrote, and its template as CloudFormation sees
it."""

PACKAGE = "dataconnectors"

PARTS = ("template.yaml", "layers/core/dataconnectors", "functions")
"""What a release consists of, as far as its code and its stack go."""

_IMPORT = re.compile(rf"^(\s*(?:from|import) ){PACKAGE}\b", re.MULTILINE)


@dataclass(frozen=True)
class Release:
    """The code in `root`, whose layer is imported as `package`. `version` is "" for the present."""

    version: str
    root: Path
    package: str

    def module(self, name: str) -> ModuleType:
        """A module of the layer, by its name in the package, such as `events.message`."""
        return importlib.import_module(f"{self.package}.{name}")

    def app(self, function: str) -> ModuleType:
        """A function's app.py after a cold start: each call runs it again."""
        path = self.root / "functions" / function / "app.py"
        module = ModuleType(f"{self.package}_{function}")
        module.__file__ = str(path)
        exec(compile(path.read_text(), path, "exec", dont_inherit=True), module.__dict__)
        return module

    @cached_property
    def state(self) -> dict[str, Any]:
        """What the release wrote: see `record`."""
        recorded: dict[str, Any] = json.loads((RELEASES / self.version / STATE).read_text())
        return recorded


PRESENT = Release("", ROOT, PACKAGE)


def last_version() -> str:
    """The version whose fixtures are kept. There is one: a release replaces its predecessor's."""
    (folder,) = (path for path in RELEASES.iterdir() if path.is_dir())
    return folder.name


def unpacked(version: str, folder: Path) -> Release:
    """A kept release, unpacked into an empty folder and imported.

    All of it is imported at once, so that an import inside a function, at a moment at which a test
    replaces clocks, never is the first one.
    """
    package = f"{PACKAGE}_{version.replace('.', '_')}"
    with tarfile.open(RELEASES / version / SOURCE) as archive:
        archive.extractall(folder, filter="data")
    layer = folder / "layers" / "core"
    (layer / PACKAGE).rename(layer / package)
    for path in folder.rglob("*.py"):
        path.write_text(renamed(path.read_text(), package))
    sys.path.append(str(layer))
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        importlib.import_module(found.name)
    return Release(version, folder, package)


def renamed(source: str, package: str) -> str:
    """A module's source, with another name of our package in its import statements."""
    return _IMPORT.sub(rf"\g<1>{package}", source)


def packed(root: Path) -> bytes:
    """The sources below `root` as an archive that depends on nothing but their content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz", preset=9, format=tarfile.PAX_FORMAT) as archive:
        for path in _files(root):
            content = path.read_bytes()
            entry = tarfile.TarInfo(path.relative_to(root).as_posix())
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _files(root: Path) -> list[Path]:
    link = root / "functions" / "sender" / "core"  # to the layer
    found = [root / PARTS[0]]
    for folder in PARTS[1:]:
        found += [
            path
            for path in (root / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and link not in path.parents
        ]
    return sorted(found)
