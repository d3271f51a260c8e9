"""Builds .aws-sam/build from template.yaml, with `sam build` where Lambda's Python is installed.

Elsewhere it makes the same layout for the Python that is installed: that runs on this machine, but
cannot be deployed. It uses the standard library only.

    python3 -m ops.build      uses the environments in .venv (see Makefile)
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.interpreter import usable

BUILD_FOLDER = Path(".aws-sam/build")
RUNTIME_FOLDER = Path(".venv/runtime/bin")
SAM = Path(".venv/sam/bin/sam")

LOGICAL_ID = re.compile(r"^  (\w+):")
SOURCE = re.compile(r"^(\s+(?:CodeUri|ContentUri): )(\S+)")


@dataclass(frozen=True, slots=True)
class Source:
    """A folder that the template packages, for which resource, and in which line it is named."""

    logical_id: str
    folder: Path
    line: int

    @property
    def has_makefile(self) -> bool:
        """Whether the folder has a Makefile that builds it."""
        return (self.folder / "Makefile").exists()


def sources(template: str) -> Iterator[Source]:
    """The folders that `template` packages.

    They are found line by line: the standard library cannot read YAML, and our template has one
    property on each line.
    """
    logical_id = ""
    for number, line in enumerate(template.splitlines()):
        if match := LOGICAL_ID.match(line):
            logical_id = match[1]
        elif match := SOURCE.match(line):
            yield Source(logical_id, Path(match[2]), number)


def built_template(template: str) -> str:
    """The template with each source folder replaced by the folder of its artefact, as by SAM."""
    lines = template.splitlines()
    for source in sources(template):
        lines[source.line] = SOURCE.sub(rf"\g<1>{source.logical_id}", lines[source.line])
    return "\n".join(lines) + "\n"


def build_with_sam(runtime: Path) -> None:
    """Run `sam build`, with .venv/runtime first on PATH, where SAM looks for the interpreter."""
    env = os.environ | {
        "PATH": f"{runtime.parent}{os.pathsep}{os.environ['PATH']}",
        "SAM_CLI_TELEMETRY": "0",
    }
    run = subprocess.run(
        [SAM.absolute(), "build", "--cached"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if run.returncode:  # SAM prints a hundred lines even when a build succeeds
        print(run.stdout, file=sys.stderr)
    run.check_returncode()


def build_without_sam(runtime: Path) -> None:
    """Make the layout of `sam build` for the installed interpreter, with the same Makefiles."""
    shutil.rmtree(BUILD_FOLDER, ignore_errors=True)
    template = Path("template.yaml").read_text()
    for source in sources(template):
        artefact = (BUILD_FOLDER / source.logical_id).absolute()
        artefact.mkdir(parents=True)
        if source.has_makefile:
            subprocess.run(
                [
                    *("make", "--no-print-directory", "-s", "-C", source.folder),
                    f"build-{source.logical_id}",
                    f"ARTIFACTS_DIR={artefact}",
                    f"LAYER_PYTHON={runtime}",
                ],
                check=True,
            )
        else:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source.folder, artefact, dirs_exist_ok=True, ignore=ignored)
    (BUILD_FOLDER / "template.yaml").write_text(built_template(template))


def compile_functions(runtime: Path) -> None:
    """Compile each app.py. Why its bytecode is never compared with it: see layers/core/Makefile."""
    folders = [
        BUILD_FOLDER / source.logical_id for source in sources(Path("template.yaml").read_text())
    ]
    for folder in folders:
        for module in folder.glob("*.py"):
            subprocess.run(
                [
                    *(runtime, "-m", "compileall", "-q"),
                    *("--invalidation-mode", "unchecked-hash"),
                    *("-s", str(folder), "-p", "/var/task", module),
                ],
                check=True,
            )


def set_modes() -> None:
    """Let everybody read the artefact, whatever this machine's umask: modes are part of a zip."""
    for path in BUILD_FOLDER.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def main() -> int:
    """Build everything. Returns 0, or the exit code of the command that failed."""
    runtime = (RUNTIME_FOLDER / "python3").absolute()
    try:
        if usable(runtime):
            print("building with SAM", flush=True)
            build_with_sam(runtime)
        else:
            print("building without SAM for the installed Python: do not deploy this", flush=True)
            build_without_sam(runtime)
        compile_functions(runtime)
        set_modes()
    except subprocess.CalledProcessError as failure:
        print(f"build: {failure}", file=sys.stderr)
        return failure.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
