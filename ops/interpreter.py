"""Which Python of this machine builds the artefact and runs the functions locally.

It is Lambda's version when a usable one is found, because `sam build` needs that to make what is
deployed, and otherwise the `python3` that runs this. It uses the standard library only, because it
runs before anything is installed.

    python3 -m ops.interpreter      prints the path of the interpreter
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

LAMBDA_VERSION = (3, 13)
"""The version of `Runtime` in template.yaml. Bytecode fits one version of Python only."""

OLDEST_VERSION = (3, 11)
"""The oldest version that the code runs on."""

PROBE_TIMEOUT = 10
"""Seconds. A version manager may look things up before it starts the interpreter; one that hangs is
skipped."""

PROBE = "import ensurepip, sys, venv; print(*sys.version_info[:2], sys.executable)"
"""Prints version and path; fails without venv, which Debian has in a separate package."""


def usable(candidate: Path, version: tuple[int, int] = LAMBDA_VERSION) -> Path | None:
    """The real path of `candidate` when it runs, has `version` and can make environments.

    It has to be run to find out: a version manager has a `python3.x` for each version that it has
    installed, which fails unless that version is active.
    """
    try:
        run = subprocess.run(
            [candidate, "-c", PROBE],
            capture_output=True,
            check=True,
            text=True,
            timeout=PROBE_TIMEOUT,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor, path = run.stdout.strip().split(" ", 2)
    return Path(path) if (int(major), int(minor)) == version else None


def candidates(env: Mapping[str, str]) -> Iterator[Path]:
    """Paths that Lambda's version may have: on PATH, among pyenv's, in the usual system folders."""
    name = "python{}.{}".format(*LAMBDA_VERSION)
    folders = [Path(folder) for folder in env.get("PATH", "").split(os.pathsep) if folder]
    pyenv = Path(env.get("PYENV_ROOT") or Path(env.get("HOME", "/")) / ".pyenv")
    folders += [path / "bin" for path in _newest_first(pyenv.glob(f"versions/{name[6:]}.*"))]
    folders += [Path(folder) for folder in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")]
    for folder in folders:
        path = folder / name
        if path.exists():
            yield path


def _newest_first(paths: Iterator[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: [int(n) for n in re.findall(r"\d+", path.name)])[::-1]


def lambda_interpreter(env: Mapping[str, str]) -> Path | None:
    """A usable interpreter of Lambda's version; None when there is none."""
    return next(filter(None, map(usable, candidates(env))), None)


def main() -> int:
    """Print the interpreter's path; explain on stderr when it cannot build what is deployed."""
    if sys.version_info[:2] < OLDEST_VERSION:
        version = "{}.{}".format(*sys.version_info)
        print(f"python3 is {version}, 3.11 or newer is needed", file=sys.stderr)
        return 1
    found = lambda_interpreter(os.environ)
    if found is None:
        print(
            "no usable Python {}.{}: building for this {}.{} instead, good enough to run here but "
            "not to deploy".format(*LAMBDA_VERSION, *sys.version_info[:2]),
            file=sys.stderr,
        )
    print(found or sys.executable)
    return 0


if __name__ == "__main__":
    sys.exit(main())
