"""The emulator's process: ministack, tied to the process that started it.

Run by `emulator.py` with the interpreter of .venv/emulator:

    python emulator_process.py INTERPRETER_OF_THE_FUNCTIONS FOLDER_FOR_THEIR_LOGS < pipe

It ends, with every worker it has started, when the pipe on standard input does. The kernel closes
that pipe however the parent ends, so that even a killed parent leaves nothing behind.
"""

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any


def end_with_parent() -> None:
    """Wait for the end of standard input, then end this process group."""
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


def keep_logs(lambda_service: Any, folder: Path) -> None:
    """Have ministack write what functions log to files in `folder`, one for each log group.

    By itself it keeps all of it in its CloudWatch, and shows some of it in its own log.
    """
    emit = lambda_service._emit_lambda_logs

    def kept(function: Any, request_id: str, text: str, *rest: Any, **options: Any) -> None:
        emit(function, request_id, text, *rest, **options)
        config = function.get("config") or function
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or config["FunctionName"]
        path = folder / f"{group.rpartition('/')[2]}.log"
        lines = "".join(f"{line}\n" for line in (text or "").splitlines() if line.strip())
        # A full disk, or a folder that somebody has removed, is no reason to fail an invocation.
        with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as file:
            file.write(lines)

    lambda_service._emit_lambda_logs = kept


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    # ministack starts functions with the interpreter it runs on itself, where its own packages
    # would hide that one is missing from the artefact. This is where it looks the interpreter up.
    sys.executable = sys.argv.pop(1)

    from ministack.app import main
    from ministack.services import lambda_svc

    keep_logs(lambda_svc, Path(sys.argv.pop(1)))
    main()
