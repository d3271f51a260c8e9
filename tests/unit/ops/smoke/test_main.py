"""The command `python -m ops.smoke`."""

import contextlib
import os
from pathlib import Path

import pytest

from ops.smoke.__main__ import main, smoke
from ops.smoke.timer import Timer
from tests.support.smoked_stack import SmokedStack


def smoke_while_somebody_reads(stack: SmokedStack) -> int:
    """Make a run whose reader leaves when it first waits for something; the exit status."""
    reader, writer = os.pipe()
    readers = [reader]

    def sleep(seconds: float) -> None:
        while readers:
            os.close(readers.pop())
        stack.sleep(seconds)

    # When the pipe is closed, what is still to be written is, as when Python ends.
    with os.fdopen(writer, "w") as pipe, contextlib.redirect_stdout(pipe):
        return smoke(stack.target, "", Timer(lambda: stack.now, sleep))


def test_a_run_that_nobody_reads_on_cleans_up_and_ends_quietly(
    stack: SmokedStack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoke_while_somebody_reads(stack) == 1
    assert capsys.readouterr() == ("", "")
    assert (stack.secret != "", stack.published) == (True, [])  # A connector, and no event
    assert stack.exists == set()


def test_a_run_that_nobody_reads_on_names_what_is_left(
    stack: SmokedStack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.faults = {"stays /projects/p/devices/d"}
    assert smoke_while_somebody_reads(stack) == 1
    assert capsys.readouterr().err.startswith("smoke: left: the device (DELETE http")


def test_a_local_stack_that_does_not_run_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--stack", "local", "--state-dir", str(tmp_path)]) == 1
    assert "start `make run`, or name its directory" in capsys.readouterr().err
