"""Records this checkout as a release: its sources, and what it writes.

    python -m tests.upgrades VERSION      `make release VERSION=1.1.0`

It replaces the fixtures of the release before, and is run for the commit that is tagged as
`v{VERSION}`. CHANGELOG.md and pyproject.toml have to name the version already.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tomllib

import tests.conftest  # sets the environment and patches moto  # noqa: F401
from tests.template.conftest import translated
from tests.upgrades.life import KINDS, answers, kinds, live
from tests.upgrades.release import (
    PRESENT,
    RELEASES,
    ROOT,
    SOURCE,
    STATE,
    TEMPLATE,
    Release,
    packed,
)
from tests.upgrades.stack import Stack, account, saved

VERSION = re.compile(r"\d+\.\d+\.\d+", re.ASCII)


class NotAReleaseError(Exception):
    """The checkout does not say that it is this release. The text says what to do."""


def check(version: str) -> None:
    """Raise `NotAReleaseError` unless the checkout says that it is this version."""
    if not VERSION.fullmatch(version):
        raise NotAReleaseError(f"VERSION is '{version}', expected three numbers such as 1.2.0")
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    if named != version:
        raise NotAReleaseError(f"pyproject.toml says {named}: set its version to {version}")
    if f"\n## {version} - " not in (ROOT / "CHANGELOG.md").read_text():
        raise NotAReleaseError(f"CHANGELOG.md has no section '## {version} - <date>'")


def record(release: Release) -> dict[str, object]:
    """What a release writes, and what it answers then."""
    os.environ["REQUEST_LIMIT"] = "5000"  # so that requests are counted
    with account():
        stack = Stack(release)
        lived = live(stack)
        found = kinds()
        missing = [kind for kind in KINDS if not found[kind]]
        unknown = found.keys() - set(KINDS) - {"ACCOUNTED"}
        if missing or unknown:
            raise NotAReleaseError(
                f"rows of these kinds are missing: {missing}, and these are new: {unknown}. "
                "tests/upgrades/life.py has to leave one of each behind, and to name it in KINDS"
            )
        return {**lived, "answers": answers(stack, lived["paths"]), **saved()}


def write(version: str, state: dict[str, object]) -> None:
    """Write the fixtures of a version, and remove those of the one before."""
    shutil.rmtree(RELEASES, ignore_errors=True)
    folder = RELEASES / version
    folder.mkdir(parents=True)
    (folder / SOURCE).write_bytes(packed(ROOT))
    for name, content in ((STATE, state), (TEMPLATE, json.loads(translated()))):
        text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True)
        (folder / name).write_text(f"{text}\n")


def main() -> int:
    """Record the release. Returns 1 when the checkout does not say that it is this release."""
    parser = argparse.ArgumentParser(prog="python -m tests.upgrades")
    parser.add_argument("version")
    version = parser.parse_args().version
    try:
        check(version)
        write(version, record(PRESENT))
    except NotAReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    print(f"recorded in {(RELEASES / version).relative_to(ROOT)}: commit it, then tag v{version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
