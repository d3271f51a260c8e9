"""Prints the notes of a release: the section of CHANGELOG.md that a tag names.

python3 -m ops.notes v1.2.3      exits 1 if the changelog or pyproject.toml has another version
"""

import re
import sys
import tomllib
from pathlib import Path


def notes(changelog: str, version: str) -> str:
    """The section of a version, without its heading; "" when there is none."""
    pattern = rf"^## {re.escape(version)} - [0-9-]{{10}}\n(.*?)(?=^## |\Z)"
    found = re.search(pattern, changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def main(arguments: list[str]) -> int:
    """Print the notes of the tag; the exit status."""
    (tag,) = arguments
    version = tag.removeprefix("v")
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
    text = notes(Path("CHANGELOG.md").read_text(), version)
    if version != project or not text:
        print(
            f"{tag} needs a section '## {version} - <date>' in CHANGELOG.md, and that version in "
            f"pyproject.toml, which has {project}",
            file=sys.stderr,
        )
        return 1
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
