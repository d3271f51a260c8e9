"""Makes .aws-sam/build from template.yaml: by `sam build` where Python of Lambda's version is.

Without one it makes the same layout for the interpreter there is, which runs on this machine but
cannot be deployed. Standard library only.

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
    """One folder that the template packages: for which resource, and whether by a Makefile."""

    logical_id: str
    folder: Path
    line: int

    @property
    def has_makefile(self) -> bool:
        """Whether the folder says itself how it is built."""
        return (self.folder / "Makefile").exists()


def sources(template: str) -> Iterator[Source]:
    """The folders that `template` packages.

    Reads lines instead of YAML: the template is ours, written one property a line, and the
    standard library has no YAML.
    """
    logical_id = ""
    for number, line in enumerate(template.splitlines()):
        if match := LOGICAL_ID.match(line):
            logical_id = match[1]
        elif match := SOURCE.match(line):
            yield Source(logical_id, Path(match[2]), number)


def built_template(template: str) -> str:
    """`template` with each source folder replaced by that of its artefact, as SAM does."""
    lines = template.splitlines()
    for source in sources(template):
        lines[source.line] = SOURCE.sub(rf"\g<1>{source.logical_id}", lines[source.line])
    return "\n".join(lines) + "\n"


def build_with_sam(runtime: Path) -> None:
    """`sam build`, with the interpreter of .venv/runtime first on PATH: SAM looks there for it."""
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
    if run.returncode:  # SAM tells a hundred lines of a build that works
        print(run.stdout, file=sys.stderr)
    run.check_returncode()


def build_without_sam(runtime: Path) -> None:
    """The layout of `sam build` for the interpreter at hand, by the same Makefiles."""
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
    """Bytecode beside each app.py, never compared with its source: see layers/core/Makefile."""
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


def main() -> int:
    """Build; the exit code is that of whatever failed."""
    runtime = (RUNTIME_FOLDER / "python3").absolute()
    try:
        if usable(runtime):
            print("building with SAM", flush=True)
            build_with_sam(runtime)
        else:
            print("building without SAM for the Python at hand: not to be deployed", flush=True)
            build_without_sam(runtime)
        compile_functions(runtime)
    except subprocess.CalledProcessError as failure:
        print(f"build: {failure}", file=sys.stderr)
        return failure.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
