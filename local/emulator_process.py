"""The emulator's process: ministack, tied to the process that started it.

Run by `emulator.py` with the interpreter of .venv/emulator:

    python emulator_process.py INTERPRETER_OF_THE_FUNCTIONS FOLDER_FOR_THEIR_LOGS < pipe

It ends, with every worker it has started, when the pipe on standard input does. The kernel closes
that pipe however the parent ends, so that even a killed parent leaves nothing behind.
"""

import contextlib
import hashlib
import io
import os
import signal
import sys
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

WRITABLE = 0o222
"""The bits of a file's mode that allow anybody to write to it."""

IDLE_GAP = 0.005
"""Seconds. A look takes 2 ms with 5,000 messages in a queue, so looks in vain take a third of a
core at the worst."""


def end_with_parent() -> None:
    """Wait for the end of standard input, then end this process group."""
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


def keep_logs(lambda_service: Any, folder: Path) -> None:
    """Have ministack write what functions log to files in `folder`, one for each log group.

    By default, ministack keeps these logs in its CloudWatch and shows some of them in its own log.
    """
    emit = lambda_service._emit_lambda_logs

    def kept(function: Any, request_id: str, text: str, *rest: Any, **options: Any) -> None:
        emit(function, request_id, text, *rest, **options)
        config = function.get("config") or function
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or config["FunctionName"]
        path = folder / f"{group.rpartition('/')[2]}.log"
        lines = "".join(f"{line}\n" for line in (text or "").splitlines() if line.strip())
        # An invocation must not fail because the disk is full or somebody removed the folder.
        with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as file:
            file.write(lines)

    lambda_service._emit_lambda_logs = kept


def share_layers(lambda_service: Any, lambda_runtime: Any, folder: Path) -> None:
    """Have ministack unpack a layer once, into `folder`, for all workers that have it.

    By default, ministack unpacks the layer for each worker, one after the other. That is more than
    a thousand files, and half a second in which nothing else in the emulator runs. A burst needs
    dozens of workers.
    """
    spawn = lambda_runtime.Worker._spawn
    unpacked: dict[bytes, Path] = {}
    unpacking = threading.Lock()

    def shared(layer: bytes) -> Path:
        with unpacking:
            if layer not in unpacked:
                unpacked[layer] = unpack(layer, folder)
            return unpacked[layer]

    def spawn_with_shared(worker: Any) -> None:
        config = worker.config
        layers = map(lambda_service._resolve_layer_zip, config.get("Layers", []))
        folders = [str(shared(layer)) for layer in layers if layer]
        variables = config.get("Environment", {}).get("Variables", {})
        # Without layers there is nothing to unpack. The worker, a script of ministack's, reads the
        # folders of unpacked layers from the variable.
        worker.config = config | {
            "Layers": [],
            "Environment": {
                "Variables": variables | {"_LAMBDA_LAYERS_DIRS": os.pathsep.join(folders)}
            },
        }
        try:
            spawn(worker)
        finally:
            worker.config = config  # A worker whose process has ended is spawned again

    lambda_runtime.Worker._spawn = spawn_with_shared


def unpack(layer: bytes, folder: Path) -> Path:
    """Unpack a layer into a read-only folder of `folder`, whose name depends on its content.

    /opt is read-only on AWS, too. Here that also keeps one worker from changing what others run.
    """
    path = folder / f"layer-{hashlib.sha256(layer).hexdigest()}"
    with zipfile.ZipFile(io.BytesIO(layer)) as archive:
        archive.extractall(path)
    for entry in (*path.rglob("*"), path):
        entry.chmod(entry.stat().st_mode & ~WRITABLE)
    return path


def start_in_turn(lambda_runtime: Any, turns: dict[str, threading.Semaphore], at_once: int) -> None:
    """Have ministack start at most `at_once` workers of a function at the same time.

    On AWS each worker has its own processors. Here, twenty workers that start together are all
    ready only when the last one is. When they start in turn, the first ones are ready after a
    fraction of a second, and their deliveries do not wait for the others. Functions do not wait for
    each other.
    """
    spawn = lambda_runtime.Worker._spawn

    def spawn_in_turn(worker: Any) -> None:
        with turns.setdefault(worker.func_name, threading.Semaphore(at_once)):
            spawn(worker)

    lambda_runtime.Worker._spawn = spawn_in_turn


def poll_without_pause(lambda_service: Any) -> None:
    """Have ministack's poller look at the queues `IDLE_GAP` after a look that found nothing.

    One thread polls all queues. Each batch that ends wakes it, and by default it rests for 50 ms
    when it was woken for nothing: a connector with many batches made the events of all others
    late. On AWS a queue's pollers wait for its messages alone.
    """
    if not hasattr(lambda_service, "_ESM_IDLE_WAKE_GAP_SECONDS"):
        raise AttributeError("ministack's poller has changed: see poll_without_pause")
    lambda_service._ESM_IDLE_WAKE_GAP_SECONDS = IDLE_GAP


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    # ministack starts functions with its own interpreter, whose packages would hide that one is
    # missing from the artefact. It looks the interpreter up here.
    sys.executable = sys.argv.pop(1)

    from ministack.app import main
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    # Nothing that these four change is public, so requirements/emulator.txt pins ministack.
    keep_logs(lambda_svc, Path(sys.argv.pop(1)))
    share_layers(lambda_svc, lambda_runtime, Path(tempfile.gettempdir()))
    poll_without_pause(lambda_svc)
    start_in_turn(lambda_runtime, {}, at_once=os.cpu_count() or 1)
    main()
