"""The options of `make run`, and the files that it writes."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from local.__main__ import Options, StartError, parse, state, trusted, write_private
from local.ports import free_port

ROOT = Path(__file__).parents[3]


@pytest.fixture
def ports() -> list[str]:
    return ["--port", str(free_port()), "--receiver-port", str(free_port())]


def test_empty_make_variables_mean_their_defaults(ports: list[str]) -> None:
    options = parse([*ports, "--state-dir", ".local", "--ca-bundle", "", "--demo", "1"])
    assert options.state_dir == Path(".local").absolute()
    assert options.ca_bundle is None
    assert options.demo


def test_the_demo_can_be_left_out(ports: list[str]) -> None:
    assert not parse([*ports, "--demo", "0"]).demo


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--demo", "yes"], "DEMO is 'yes', expected 0 or 1"),
        (["--ca-bundle", "nowhere.pem"], "CA_BUNDLE is 'nowhere.pem', which is no file"),
        (["--port", "http"], "PORT is 'http', expected a port"),
    ],
)
def test_an_invalid_option_is_named(ports: list[str], arguments: list[str], message: str) -> None:
    with pytest.raises(StartError, match=message):
        parse([*ports, *arguments])


def test_deliveries_trust_the_local_authority_and_the_bundle(tmp_path: Path) -> None:
    ca, bundle = tmp_path / "ca.pem", tmp_path / "bundle.pem"
    ca.write_text("local authority")
    bundle.write_text("one of the company\n")
    options = Options(1, 2, tmp_path, ca_bundle=bundle, demo=False)
    path = trusted(options, ca)
    assert path.parent == tmp_path
    assert path.read_text() == "local authority\none of the company\n"


def test_only_the_owner_can_read_the_credentials(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text("of an earlier run, readable by all")
    path.chmod(0o644)
    write_private(path, {"serviceAccount": {}})
    assert json.loads(path.read_text()) == {"serviceAccount": {}}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_state_directory_is_used_by_one_run_at_a_time(tmp_path: Path) -> None:
    with (
        state(tmp_path),
        pytest.raises(StartError, match="is in use by another run"),
        state(tmp_path),
    ):
        pass
    with state(tmp_path):
        pass


def test_an_invalid_option_prints_a_sentence_and_no_traceback() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "local", "--port", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"AWS_PROFILE": "customer"},
    )
    assert run.returncode == 1
    assert run.stderr == "make run: PORT is '0', expected a port: 1 to 65535\n"
