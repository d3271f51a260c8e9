"""Invokes a built function, or makes bare calls of AWS, as often as a line of its input says.

    python bench/worker.py run|record FUNCTION_FOLDER CORE_FOLDER
    python bench/worker.py bare FOLDER

A line is JSON. For a function `{"event": …, "times": n}`: the answer has the `cpu` seconds of the
invocations and the last `answer`. `record` adds the `calls` that they made, which is a text that
`bare` takes instead of an event. `bare` imports boto3 from the folder, makes one client for each
service with its defaults, and makes the calls one after another over kept connections.
"""

import base64
import json
import os
import pickle
import sys
import time
from typing import Any


class Context:
    """What handlers read of Lambda's context."""

    function_name = "function"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """A fresh invocation's."""
        return 30_000


def _nothing(_seconds: float) -> None:
    """Return at once."""


class Function:
    """A built function, whose calls are `recorded` when that is asked for."""

    def __init__(self, *, is_recording: bool) -> None:
        self.recorded: list[bytes] = []
        # The reconciler paces its calls. After each pause a processor's caches are cold, which bare
        # calls, one after another, do not pay for.
        setattr(time, "sleep", _nothing)  # noqa: B010  # before `app` takes it
        if is_recording:
            import botocore.session

            make = botocore.session.get_session

            def get_session(*arguments: Any) -> Any:
                session = make(*arguments)
                session.register("before-parameter-build", self._record)
                return session

            setattr(botocore.session, "get_session", get_session)  # noqa: B010  # not exported
        import app  # type: ignore[import-not-found]  # of the built function

        self._handler = app.lambda_handler

    def _record(self, **call: Any) -> None:
        # As it is now: botocore changes what it is given.
        model = call["model"]
        found = (model.service_model.service_name, model.name, call["params"])
        self.recorded.append(pickle.dumps(found))

    def __call__(self, line: dict[str, Any]) -> Any:
        return self._handler(line["event"], Context())


class Bare:
    """Clients of boto3, and nothing of ours."""

    def __init__(self) -> None:
        import boto3
        from botocore import xform_name
        from botocore.exceptions import ClientError

        self._make: Any = boto3.client
        self._method, self._error = xform_name, ClientError
        self.recorded: list[bytes] = []
        self._clients: dict[str, Any] = {}
        self._given = ""
        self._calls: list[tuple[Any, dict[str, Any]]] = []

    def __call__(self, line: dict[str, Any]) -> dict[str, int]:
        if line["calls"] != self._given:
            self._given = line["calls"]
            calls = pickle.loads(base64.b64decode(self._given))
            self._calls = [self._call(*pickle.loads(call)) for call in calls]
        refused = 0
        for method, params in self._calls:
            try:
                method(**params)
            except self._error:  # a condition that was true once
                refused += 1
        return {"refused": refused}

    def _call(self, service: str, operation: str, params: Any) -> tuple[Any, dict[str, Any]]:
        if service not in self._clients:
            self._clients[service] = self._make(service)
        return getattr(self._clients[service], self._method(operation)), params


def main() -> None:
    """Work until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where functions log
    kind, *folders = sys.argv[1:]
    sys.path[:1] = folders  # instead of this file's folder
    work = Bare() if kind == "bare" else Function(is_recording=kind == "record")
    for text in sys.stdin:
        line = json.loads(text)
        before = time.process_time()
        for _ in range(line["times"]):
            answer = work(line)
        cpu = time.process_time() - before
        calls = base64.b64encode(pickle.dumps(list(work.recorded))).decode()
        work.recorded.clear()
        print(json.dumps({"cpu": cpu, "answer": answer, "calls": calls}), file=answers, flush=True)


if __name__ == "__main__":
    main()
