"""A function's program: its app.py, run anew at each cold start; nothing outlives a kill."""

import builtins
import concurrent.futures
import contextlib
import importlib
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any

from dataconnectors.aws import clients as aws
from dataconnectors.aws import coldstart
from dataconnectors.endpoints import tls
from dataconnectors.kernel import times
from tests.faults import ROOT
from tests.faults.process import InlineExecutor, Process

Namespace = dict[str, Any]
Edits = Mapping[str, str]
"""Texts of a source, and what a mutation makes of each."""


class Silent:
    """A logger that says nothing: a million lines would be most of a run."""

    def info(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    warning = error = info


class Program:
    """The source of `functions/{name}/app.py`, perhaps with a mutation."""

    def __init__(self, name: str, edits: Edits | None = None) -> None:
        # What it imports is imported before, by the interpreter's own clocks.
        importlib.import_module(f"functions.{name}.app")
        self._path = ROOT / "functions" / name / "app.py"
        self._code = _compiled(self._path, edits or {})

    def start(self, process: Process) -> Namespace:
        """What a cold start leaves in the memory of a process, whose clocks it has."""
        namespace: Namespace = {
            "__name__": f"functions.{self._path.parent.name}.app",
            "__builtins__": _builtins(process),
        }
        # Nobody dials here, and loading the authorities takes longer than a hundred invocations.
        with (
            _replaced(aws, "Clients", lambda: process),
            _replaced(tls, "client_context", lambda file: None),
            # Many cold starts in one process: what one of them makes does not stay for good.
            _replaced(coldstart, "begin", _nothing),
            _replaced(coldstart, "end", _nothing),
        ):
            exec(self._code, namespace)  # our own file
        for value in namespace.values():
            _adopt(value, process, set())
        return namespace


def _compiled(path: Path, edits: Edits) -> CodeType:
    source = path.read_text()
    for old, new in edits.items():
        assert source.count(old) == 1, f"{path.name} does not have {old!r} once"
        source = source.replace(old, new)
    return compile(source, path, "exec", dont_inherit=True)


def _builtins(process: Process) -> Mapping[str, Any]:
    """Python's, but an app.py that imports clocks, chance, threads or a logger gets a process's."""
    stand_ins = {
        "time": SimpleNamespace(**vars(time) | _clocks(process)),
        "os": SimpleNamespace(**vars(os) | {"urandom": process.world.rng.randbytes}),
        "concurrent.futures": SimpleNamespace(
            Executor=concurrent.futures.Executor,
            ThreadPoolExecutor=lambda _count: InlineExecutor(process),
        ),
        "aws_lambda_powertools.logging": SimpleNamespace(Logger=Silent),
    }

    def import_(name: str, *more: Any, **named: Any) -> Any:
        return stand_ins[name] if name in stand_ins else __import__(name, *more, **named)

    return vars(builtins) | {"__import__": import_}


def _nothing() -> None:
    """What the garbage collector does when it is not ours to command."""


def _clocks(process: Process) -> dict[str, Any]:
    return {
        "time": process.now,
        "monotonic": process.clock,
        "elapsed": process.clock,
        "sleep": process.sleep,
    }


def _adopt(value: Any, process: Process, seen: set[int]) -> None:
    """Give an object of ours, and what it is made of, a process's clocks for this machine's.

    That is what the defaults of parameters are.
    """
    if id(value) in seen or not type(value).__module__.startswith("dataconnectors."):
        return
    seen.add(id(value))
    names = [*getattr(value, "__dict__", ()), *getattr(type(value), "__slots__", ())]
    for name, part in [(name, getattr(value, name)) for name in names]:
        if isinstance(part, ThreadPoolExecutor):
            object.__setattr__(value, name, InlineExecutor(process))  # frozen values included
        elif (clock := getattr(part, "__name__", "")) in _CLOCKS and part is _CLOCKS[clock]:
            object.__setattr__(value, name, _clocks(process)[clock])
        else:
            _adopt(part, process, seen)


_CLOCKS = {name: getattr(time, name) for name in ("time", "monotonic", "sleep")} | {
    "elapsed": times.elapsed
}


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
