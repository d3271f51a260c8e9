"""Records which permissions the calls take that each function makes in this process."""

import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import botocore.session

from tests.permissions.calls import ATTRIBUTES, Permission, permissions
from tests.support import aws

_ROOT = Path(__file__).parents[2]
_FUNCTIONS = f"{_ROOT}/functions/"
_TESTS = (f"{_ROOT}/tests/unit/", f"{_ROOT}/tests/integration/")

FILE = Path(__file__).with_name("recorded.json")

Recorded = dict[str, set[Permission]]
"""What each function needs, by the name of its folder."""

_ORIGINAL = botocore.session.get_session


class Recorder:
    """What was recorded, and in which test each function needed it first."""

    def __init__(self) -> None:
        self.first: dict[tuple[str, Permission], str] = {}
        self.test = ""
        self.is_installed = False

    def install(self) -> None:
        """Record from now on: every botocore session that a function makes is watched."""
        self.is_installed = True
        setattr(botocore.session, "get_session", self._get_session)  # noqa: B010  # not exported

    def record(self, function: str, service: str, operation: str, given: Mapping[str, Any]) -> None:
        """Record a call of a function, such as SendMessageBatch of "sqs"."""
        for permission in permissions(service, operation, given):
            context = permission.context
            if not _is_limited_to_attributes(function):
                context = tuple(each for each in context if each[0] != ATTRIBUTES)
            needed = permission._replace(context=context)
            self.first.setdefault((function, needed), self.test)

    def _get_session(self, *arguments: Any) -> Any:
        session = _ORIGINAL(*arguments)
        function = _running_function()
        if function:

            def watch(**call: Any) -> None:
                if not _is_tests_own():
                    model = call["model"]
                    service = model.service_model.service_name
                    self.record(function, service, model.name, call["params"])

            session.register("before-parameter-build", watch)
        return session


recorder = Recorder()


@cache
def _is_limited_to_attributes(function: str) -> bool:
    """Whether a policy of a function names attributes. Others' attributes would fill the file."""
    resources = aws.template()["Resources"]
    (name,) = (
        name
        for name, resource in resources.items()
        if resource.get("Properties", {}).get("CodeUri") == f"functions/{function}/"
    )
    # A function's policies are its own, or those of a role that the template has for it.
    found = [resources[each]["Properties"] for each in (name, f"{name}Role") if each in resources]
    return ATTRIBUTES in json.dumps([properties.get("Policies") for properties in found])


def _callers() -> Iterator[str]:
    """The files of the code that is being run in this thread, the innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


def _running_function() -> str:
    """The folder of the function whose app.py is being run, or ""."""
    for path in _callers():
        if path.startswith(_FUNCTIONS):
            return path.removeprefix(_FUNCTIONS).partition("/")[0]
    return ""


def _is_tests_own() -> bool:
    """Whether a test uses a function's client itself, for instance to prepare a row.

    A function's own threads run no code of a test. tests/support stands between both.
    """
    return not _running_function() and any(path.startswith(_TESTS) for path in _callers())


# --- the file -----------------------------------------------------------------------------------


def read() -> Recorded:
    """What is recorded in the file."""
    return {
        function: {Permission.of(*entry) for entry in entries}
        for function, entries in json.loads(FILE.read_text()).items()
    }


def write(recorded: Recorded) -> None:
    """Write the file, with a line for each entry, so that differences are easy to read."""
    functions = [
        f' "{function}": [\n'
        + ",\n".join(f"  {json.dumps(entry)}" for entry in sorted(recorded[function]))
        + "\n ]"
        for function in sorted(recorded)
    ]
    FILE.write_text("{\n" + ",\n".join(functions) + "\n}\n")
