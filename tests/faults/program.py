"""A function's app.py, which is run again at each cold start, so that no state survives a kill."""

import builtins
import concurrent.futures
import contextlib
import importlib
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import CodeType, MappingProxyType, SimpleNamespace
from typing import Any

from dataconnectors.aws import clients as aws
from dataconnectors.aws import coldstart
from dataconnectors.endpoints import tls
from dataconnectors.kernel import times
from tests.faults import ROOT
from tests.faults.process import InlineExecutor, Process

Namespace = dict[str, Any]
Edits = Mapping[str, str]
"""Texts of a source, each with the text that replaces it in a mutant."""

_NONE: Mapping[str, str] = MappingProxyType({})


class Silent:
    """A logger that writes nothing, because a million lines would take most of a run's time."""

    def info(self, *_: Any, **__: Any) -> None:
        """Write nothing."""

    warning = error = info


class Program:
    """The source of `functions/{name}/app.py`, possibly mutated."""

    def __init__(self, name: str, edits: Edits | None = None) -> None:
        # The modules that it imports are imported before, with the interpreter's clocks.
        importlib.import_module(f"functions.{name}.app")
        self._path = ROOT / "functions" / name / "app.py"
        self._code = _compiled(self._path, edits or {})

    def start(self, process: Process, variables: Mapping[str, str] = _NONE) -> Namespace:
        """The module's names after a cold start in a process, with the clocks of that process and
        these environment variables in addition."""
        namespace: Namespace = {
            "__name__": f"functions.{self._path.parent.name}.app",
            "__builtins__": _builtins(process, variables),
        }
        # Nothing is dialled here, and loading the authorities takes longer than 100 invocations.
        with (
            _replaced(aws, "Clients", lambda: process),
            _replaced(tls, "client_context", lambda file: None),
            # One process runs many cold starts here, so their objects must not be frozen for good.
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


def _builtins(process: Process, variables: Mapping[str, str]) -> Mapping[str, Any]:
    """Python's builtins, with an import that gives an app.py the process's clocks, random bytes,
    threads and logger."""
    stand_ins = {
        "time": SimpleNamespace(**vars(time) | _clocks(process)),
        "os": SimpleNamespace(
            **vars(os) | {"urandom": process.world.rng.randbytes, "environ": os.environ | variables}
        ),
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
    """Leave the garbage collector as it is."""


def _clocks(process: Process) -> dict[str, Any]:
    return {
        "time": process.now,
        "monotonic": process.clock,
        "elapsed": process.clock,
        "sleep": process.sleep,
    }


def _adopt(value: Any, process: Process, seen: set[int]) -> None:
    """Replace this machine's clocks by those of a process, in an object of ours and its parts.

    The parts have this machine's clocks as defaults of their parameters.
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
