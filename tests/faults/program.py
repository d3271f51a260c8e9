"""A function's program: its app.py, run anew at each cold start; nothing outlives a kill."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType
from typing import Any

from dataconnectors import aws, transport
from tests.faults import ROOT

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
        self._path = ROOT / "functions" / name / "app.py"
        self._code = _compiled(self._path, edits or {})

    def start(self, clients: Any) -> Namespace:
        """What a cold start with these AWS clients leaves in memory."""
        namespace: Namespace = {"__name__": f"functions.{self._path.parent.name}.app"}
        # Nobody dials here, and loading the authorities takes longer than a hundred invocations.
        with (
            _replaced(aws, "Clients", lambda: clients),
            _replaced(transport, "client_context", lambda file: None),
        ):
            exec(self._code, namespace)  # our own file
        namespace["logger"] = Silent()
        return namespace


def _compiled(path: Path, edits: Edits) -> CodeType:
    source = path.read_text()
    for old, new in edits.items():
        assert source.count(old) == 1, f"{path.name} does not have {old!r} once"
        source = source.replace(old, new)
    return compile(source, path, "exec", dont_inherit=True)


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
