"""Finds Chromium, and installs Debian's where that is possible.

python -m tests.console.chromium      says what is there; exits 1 without it where `CI` is set
"""

import os
import shutil
import subprocess
import sys

from tools import apt

NAMES = ("chromium", "chromium-browser", "google-chrome")
"""Debian's name, and those of others. `CHROMIUM` in the environment names another program."""

PACKAGES = ("chromium", "fonts-inter")
"""The second is the typeface that the pages ask for first, so that pictures look as they should."""

INSTALL_SECONDS = 420
"""Debian's package is 100 MB with all that it needs. A slow mirror takes minutes."""

VERSION_SECONDS = 30
"""Starting a program of 400 MB for the first time, on two busy cores."""

MISSING = (
    "no Chromium: the tests of the console in a browser do not run. Install it "
    "(`apt-get install chromium`), or name the program in the variable CHROMIUM"
)


def find() -> str | None:
    """The path of the browser; None when there is none."""
    return next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *NAMES))), None)


def version(path: str) -> str:
    """What the browser says that it is."""
    told = subprocess.run(
        [path, "--version"], capture_output=True, text=True, timeout=VERSION_SECONDS, check=False
    )
    return told.stdout.strip() or f"{path}, which does not say its version"


def is_required() -> bool:
    """Whether its absence is a failure: continuous integration must not skip tests silently."""
    return bool(os.environ.get("CI"))


def main() -> int:
    """Install it if it is missing; 1 when it stays missing and that is a failure."""
    if find() is None:
        print("installing chromium with apt", flush=True)
        if wrong := apt.install(PACKAGES, INSTALL_SECONDS):
            print(wrong, file=sys.stderr)
    path = find()
    if path is None:
        print(MISSING, file=sys.stderr)
        return int(is_required())
    print(version(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
