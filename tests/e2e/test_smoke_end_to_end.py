"""`make smoke STACK=local` proves the running stack from outside."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Stack

SMOKE_SECONDS = 120
"""`make smoke` takes 40, most of them between the attempts of an event."""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack of its own: other tests count what is in theirs, or stop it."""
    running = Stack(tmp_path / "state")
    yield running
    running.end()


def test_smoke_proves_that_the_stack_works(stack: Stack) -> None:
    ran = subprocess.run(
        ["make", "-s", "smoke", "STACK=local", f"STATE_DIR={stack.temporary.parent}"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SMOKE_SECONDS,
    )
    assert ran.returncode == 0, ran.stdout
    for check in (
        "it is signed with the connector's secret",
        "after a 500 it comes again after 8 and 16 s",
        "everything is cleaned up",
    ):
        assert f"yes           {check}" in ran.stdout
