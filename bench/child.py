"""A process of this Python beside the bench, whose work is not measured."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextlib.contextmanager
def line_of(module: str, *arguments: str) -> Iterator[str]:
    """Run a module until the `with` block ends, and give the line that it prints when it is ready.

    Its standard input ends with the block, and so does the module.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()
