"""How the emulator's process is started and stopped, and how it is deployed to, with a fake."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from local import emulator_process
from local.emulator import Emulator, EmulatorError, package

# Answers on its port, starts a child as the emulator starts functions, and reports its environment.
LOOKALIKE = f"""\
#!{sys.executable}
import http.server, json, os, subprocess, sys
child = subprocess.Popen(["sleep", "60"])
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments):
        pass
print(json.dumps({{"argv": sys.argv[1:], "env": dict(os.environ), "child": child.pid}}), flush=True)
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["GATEWAY_PORT"])), Health)
server.serve_forever()
"""

# A fake of the module that the emulator's process runs, with only what these tests use.
MINISTACK = """\
import os, subprocess, sys
def main():
    child = subprocess.Popen(["sleep", "60"])
    print(os.getpid(), child.pid, sys.executable, flush=True)
    child.wait()
"""


LAMBDA_SVC = """\
_emit_lambda_logs = print
_ESM_IDLE_WAKE_GAP_SECONDS = 0.05
"""


LAMBDA_RUNTIME = """\
class Worker:
    def _spawn(self):
        pass
"""


class LambdaRuntime:
    """A fake of ministack's module. A worker remembers its configuration at its start."""

    class Worker:
        def __init__(self, func_name: str, *layers: str) -> None:
            self.func_name = func_name
            self.config = {"Layers": layers, "Environment": {"Variables": {"TABLE_NAME": "rows"}}}
            self.started: list[dict[str, Any]] = []

        def _spawn(self) -> None:
            self.started.append(self.config)


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    monkeypatch.setenv("AWS_PROFILE", "customer")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example")
    made = Emulator(
        interpreter=script(tmp_path / "lookalike", LOOKALIKE),
        functions_interpreter=Path("functions-python"),
        state_dir=tmp_path / "state",
    )
    yield made
    made.stop()


def reported(emulator: Emulator) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(emulator.log.read_text())
    return value


def test_the_emulator_listens_on_loopback_only_and_has_a_clean_environment(
    emulator: Emulator,
) -> None:
    emulator.start()
    env = reported(emulator)["env"]
    assert env["BIND_HOST"] == "127.0.0.1"
    assert not [name for name in env if name.startswith(("AWS_", "HTTP_"))]
    assert env["DOCKER_HOST"] == "unix:///nonexistent"


def test_the_emulator_gets_the_functions_interpreter(emulator: Emulator) -> None:
    emulator.start()
    program, interpreter, _ = reported(emulator)["argv"]
    assert program == emulator_process.__file__
    assert interpreter == str(Path("functions-python").absolute())


def test_the_functions_logs_are_those_of_this_run_in_the_state_directory(
    emulator: Emulator, tmp_path: Path
) -> None:
    assert emulator.logs == tmp_path / "state" / "logs"
    emulator.logs.mkdir(parents=True)
    (emulator.logs / "old.log").touch()
    emulator.start()
    assert reported(emulator)["argv"][2] == str(emulator.logs)
    assert list(emulator.logs.iterdir()) == []
    emulator.stop()
    assert emulator.logs.is_dir()


def test_the_functions_logs_are_written_to_a_file_for_each_log_group(tmp_path: Path) -> None:
    emitted: list[Any] = []

    class LambdaService:
        @staticmethod
        def _emit_lambda_logs(*arguments: Any, **options: Any) -> None:
            emitted.append((arguments, options))

    emulator_process.keep_logs(LambdaService, tmp_path)
    grouped = {"config": {"LoggingConfig": {"LogGroup": "/aws/lambda/dc-ingest"}}}
    LambdaService._emit_lambda_logs(grouped, "r1", '{"message":"caf\u00e9"}\n', False, 5)
    LambdaService._emit_lambda_logs(grouped, "r2", "one\n\ntwo", True, 6, log_source=None)
    LambdaService._emit_lambda_logs({"FunctionName": "plain"}, "r3", "three", False, 7)
    LambdaService._emit_lambda_logs({"FunctionName": "plain"}, "r4", "", False, 7)
    assert (tmp_path / "dc-ingest.log").read_text("utf-8") == '{"message":"caf\u00e9"}\none\ntwo\n'
    assert (tmp_path / "plain.log").read_text() == "three\n"
    assert emitted[1] == ((grouped, "r2", "one\n\ntwo", True, 6), {"log_source": None})
    assert len(emitted) == 4


@pytest.fixture
def lambda_runtime(monkeypatch: pytest.MonkeyPatch) -> type[LambdaRuntime]:
    monkeypatch.setattr(LambdaRuntime.Worker, "_spawn", LambdaRuntime.Worker._spawn)
    return LambdaRuntime


def zipped(**files: str) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"python/{name}.py", text)
    return buffer.getvalue()


def test_workers_share_a_layer_of_the_same_content_and_no_other(
    lambda_runtime: type[LambdaRuntime], tmp_path: Path
) -> None:
    class LambdaService:
        layers: ClassVar = {
            "a:1": zipped(module="x = 1"),
            "b:1": zipped(module="x = 1"),
            "a:2": zipped(module="x = 2"),
            "deleted:1": None,
        }
        _resolve_layer_zip = layers.get

    emulator_process.share_layers(LambdaService, lambda_runtime, tmp_path)

    def started(worker: LambdaRuntime.Worker) -> list[str]:
        before = worker.config
        worker._spawn()
        assert worker.config is before
        config = worker.started[-1]
        assert config["Layers"] == []
        assert config["Environment"]["Variables"]["TABLE_NAME"] == "rows"
        folders: str = config["Environment"]["Variables"]["_LAMBDA_LAYERS_DIRS"]
        return [
            (Path(folder) / "python" / "module.py").read_text()
            for folder in folders.split(os.pathsep)
            if folder
        ]

    first = lambda_runtime.Worker("sender", "a:1")
    assert started(first) == ["x = 1"]
    assert started(lambda_runtime.Worker("ingest", "b:1")) == ["x = 1"]
    assert len(list(tmp_path.iterdir())) == 1
    assert started(lambda_runtime.Worker("sender", "a:2", "a:1")) == ["x = 2", "x = 1"]
    assert started(first) == ["x = 1"]
    assert len(list(tmp_path.iterdir())) == 2
    assert started(lambda_runtime.Worker("plain")) == []
    assert started(lambda_runtime.Worker("plain", "deleted:1")) == []


def test_a_start_that_fails_can_be_repeated(
    lambda_runtime: type[LambdaRuntime], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LambdaService:
        _resolve_layer_zip: ClassVar = {"a:1": zipped(module="x = 1")}.get

    def fail(worker: LambdaRuntime.Worker) -> None:
        raise RuntimeError("Worker init failed")

    monkeypatch.setattr(lambda_runtime.Worker, "_spawn", fail)
    emulator_process.share_layers(LambdaService, lambda_runtime, tmp_path)
    worker = lambda_runtime.Worker("sender", "a:1")
    with pytest.raises(RuntimeError):
        worker._spawn()
    assert worker.config["Layers"] == ("a:1",)


def test_an_unpacked_layer_is_read_only(tmp_path: Path) -> None:
    layer = emulator_process.unpack(zipped(module="x = 1"), tmp_path)
    paths = [layer, *layer.rglob("*")]
    assert len(paths) == 3
    assert [path for path in paths if path.stat().st_mode & 0o222] == []


def test_workers_of_a_function_start_in_turn_and_functions_do_not_wait_for_each_other(
    lambda_runtime: type[LambdaRuntime], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: dict[str, threading.Semaphore] = {}
    free: list[bool] = []

    def look(worker: LambdaRuntime.Worker) -> None:
        free.append(turns[worker.func_name].acquire(blocking=False))
        if worker.func_name == "sender":
            lambda_runtime.Worker("ingest")._spawn()

    monkeypatch.setattr(lambda_runtime.Worker, "_spawn", look)
    emulator_process.start_in_turn(lambda_runtime, turns, at_once=1)
    lambda_runtime.Worker("sender")._spawn()
    assert free == [False, False]
    assert all(turn.acquire(blocking=False) for turn in turns.values())


def test_the_poller_hardly_rests_and_another_ministack_is_noticed() -> None:
    poller = SimpleNamespace(_ESM_IDLE_WAKE_GAP_SECONDS=0.05)
    emulator_process.poll_without_pause(poller)
    assert vars(poller) == {"_ESM_IDLE_WAKE_GAP_SECONDS": emulator_process.IDLE_GAP}
    with pytest.raises(AttributeError, match="poller has changed"):
        emulator_process.poll_without_pause(SimpleNamespace())


def test_temporary_files_are_in_the_state_directory_and_are_removed_at_the_end(
    emulator: Emulator, tmp_path: Path
) -> None:
    temporary = tmp_path / "state" / "tmp"
    killed = emulator_process.unpack(zipped(of_a_killed_run=""), temporary)
    emulator.start()
    assert Path(reported(emulator)["env"]["TMPDIR"]) == temporary
    assert not killed.exists()
    emulator_process.unpack(zipped(module="x = 1"), temporary)
    emulator.stop()
    assert not temporary.exists()


def test_stop_ends_every_process_that_the_emulator_started(emulator: Emulator) -> None:
    emulator.start()
    child = reported(emulator)["child"]
    assert not is_gone(child)
    emulator.stop()
    assert is_gone(child)
    assert emulator.ended()


def test_stopping_twice_is_no_error(emulator: Emulator) -> None:
    emulator.start()
    emulator.stop()
    emulator.stop()


def test_the_end_of_the_emulator_is_noticed(emulator: Emulator) -> None:
    emulator.start()
    assert not emulator.ended()
    assert emulator._process is not None
    os.kill(emulator._process.pid, signal.SIGKILL)
    assert eventually(emulator.ended)


def test_an_emulator_that_ends_at_once_is_an_error_that_names_its_log(tmp_path: Path) -> None:
    broken = Emulator(
        interpreter=script(tmp_path / "broken", "#!/bin/sh\necho no module; exit 1\n"),
        functions_interpreter=Path("python"),
        state_dir=tmp_path,
    )
    with pytest.raises(EmulatorError, match=r"ended at once; .*emulator\.log says why"):
        broken.start()
    assert broken.log.read_text() == "no module\n"
    broken.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_emulator_and_its_children_end_with_the_process_that_started_them(
    tmp_path: Path,
) -> None:
    """This holds however that process ends, because the kernel closes the pipe."""
    (tmp_path / "ministack").mkdir()
    (tmp_path / "ministack" / "__init__.py").touch()
    (tmp_path / "ministack" / "app.py").write_text(MINISTACK)
    (tmp_path / "ministack" / "services").mkdir()
    (tmp_path / "ministack" / "services" / "__init__.py").touch()
    (tmp_path / "ministack" / "services" / "lambda_svc.py").write_text(LAMBDA_SVC)
    (tmp_path / "ministack" / "core").mkdir()
    (tmp_path / "ministack" / "core" / "__init__.py").touch()
    (tmp_path / "ministack" / "core" / "lambda_runtime.py").write_text(LAMBDA_RUNTIME)
    process = subprocess.Popen(
        [sys.executable, emulator_process.__file__, "/functions/python", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]},
        start_new_session=True,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    pid, child, executable = process.stdout.readline().split()
    assert executable == "/functions/python"
    assert not is_gone(int(child))
    process.stdin.close()
    assert eventually(lambda: is_gone(int(pid)) and is_gone(int(child)))
    process.stdout.close()
    process.wait()


def test_a_package_depends_on_its_content_alone(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name / "package").mkdir(parents=True)
        (tmp_path / name / "app.py").write_text("x = 1\n")
        (tmp_path / name / "package" / "module.py").write_text("y = 2\n")
    os.utime(tmp_path / "second" / "app.py", (0, 1_000_000_000))
    first = package(tmp_path / "first")
    assert first == package(tmp_path / "second")
    with zipfile.ZipFile(BytesIO(first)) as archive:
        assert archive.namelist() == ["app.py", "package/module.py"]
    (tmp_path / "second" / "app.py").write_text("x = 2\n")
    assert first != package(tmp_path / "second")
