"""Finds Chromium, and installs Debian's where that is possible.

python -m tests.console.chromium      says what is there; exits 1 without it where `CI` is set
"""

import os
import shutil
import subprocess
import sys

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


def install() -> str:
    """Install it with apt; what went wrong, or "" when nothing did."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "only root can install it here, and only with apt"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        try:
            done = subprocess.run(
                ["apt-get", "-qq", *step],
                capture_output=True,
                text=True,
                timeout=INSTALL_SECONDS,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"apt-get {step[0]} did not end within {INSTALL_SECONDS} s"
        if done.returncode:
            return f"apt-get {step[0]} failed: {done.stderr.strip()[-500:]}"
    return ""


def main() -> int:
    """Install it if it is missing; 1 when it stays missing and that is a failure."""
    if find() is None:
        print("installing chromium with apt", flush=True)
        if wrong := install():
            print(wrong, file=sys.stderr)
    path = find()
    if path is None:
        print(MISSING, file=sys.stderr)
        return int(is_required())
    print(version(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
