"""Measures a built function's peak memory: when it is ready, and after one invocation.

    python bench/peak.py FUNCTION_FOLDER CORE_FOLDER < EVENT

The folders are those that are built; EVENT is a JSON text. The last line of standard output is
JSON: `ready` and `peak` in bytes, the `seconds` of the invocation, and its `answer`.
"""

import os
import re
import sys
import time
from pathlib import Path

from first import Context  # type: ignore[import-untyped]  # in the folder of this file


def peak() -> int:
    """The peak of this process in bytes. `getrusage` would also count the process that started
    it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


if __name__ == "__main__":
    sys.path[:1] = sys.argv[1:3]  # instead of this file's folder
    import app  # type: ignore[import-not-found]  # of the built function

    ready = peak()
    import json

    event = json.load(sys.stdin)
    began = time.monotonic()
    answer = app.lambda_handler(event, Context())
    seconds = time.monotonic() - began
    print(json.dumps({"ready": ready, "peak": peak(), "seconds": seconds, "answer": answer}))
    sys.stdout.flush()
    os._exit(0)
