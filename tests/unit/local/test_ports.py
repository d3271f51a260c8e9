"""Unusable ports are reported before anything is built."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.ports import HOST, complaint, complaints, free_port

ROOT = Path(__file__).parents[3]


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_is_accepted() -> None:
    assert complaint("PORT", str(free_port())) is None


def test_a_port_in_use_is_named_with_what_to_do(busy: int) -> None:
    said = complaint("PORT", str(busy))
    assert said is not None
    assert said.startswith(f"port {busy} of 127.0.0.1 can't be used (Address already in use)")
    assert "`make run PORT=...`" in said


@pytest.mark.parametrize("value", ["", "http", "0", "65536", "-1", "80 80", "٨٠٠٠"])
def test_an_invalid_port_is_refused(value: str) -> None:
    assert complaint("PORT", value) == f"PORT is '{value}', expected a port: 1 to 65535"


def test_the_two_ports_must_differ() -> None:
    port = str(free_port())
    expected = f"PORT and RECEIVER_PORT must differ, both are '{port}'"
    assert complaints([port, port]) == [expected]


def test_the_command_fails_and_names_each_bad_port(busy: int) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "local.ports", str(busy), "x"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert run.stdout == ""
    first, second = run.stderr.splitlines()
    assert first.startswith(f"make run: port {busy} of 127.0.0.1")
    assert second.startswith("make run: RECEIVER_PORT is 'x'")
