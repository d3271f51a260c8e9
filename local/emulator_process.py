"""The emulator's process: ministack, tied to the process that started it.

Run by `emulator.py` with the interpreter of .venv/emulator:

    python emulator_process.py INTERPRETER_OF_THE_FUNCTIONS < pipe

It ends, with every worker it has started, when the pipe on standard input does. The kernel closes
that pipe however the parent ends, so that even a killed parent leaves nothing behind.
"""

import os
import signal
import sys
import threading


def end_with_parent() -> None:
    """Wait for the end of standard input, then end this process group."""
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    # ministack starts functions with the interpreter it runs on itself, where its own packages
    # would hide that one is missing from the artefact. This is where it looks the interpreter up.
    sys.executable = sys.argv.pop(1)

    from ministack.app import main

    main()
