"""The command `python -m ops.smoke`."""

from pathlib import Path

import pytest

from ops.smoke.__main__ import main


def test_a_local_stack_that_does_not_run_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--stack", "local", "--state-dir", str(tmp_path)]) == 1
    assert "start `make run`, or name its directory" in capsys.readouterr().err
