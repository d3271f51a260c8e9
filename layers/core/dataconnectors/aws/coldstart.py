"""What makes a cold start cheaper: the first and the last of a function's preparations.

    from dataconnectors.aws import coldstart

    coldstart.begin()

    import …

    coldstart.end()

Each is worth a tenth of a cold start; `bench/cold_start.py` measures it.
"""

import ast
import gc
import importlib
import importlib.util
import sys
from functools import cache
from importlib.machinery import ModuleSpec
from typing import Any

PACKAGES = (
    "aws_lambda_powertools",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.data_classes",
    "jwt",
)
"""They import all that they offer: tracers, resolvers and events of twenty services."""


def begin() -> None:
    """Before all other imports: no garbage is collected, and of a package what is used imported."""
    gc.disable()  # imports make none, and it is looked for a hundred times
    for package in PACKAGES:
        _enter(package)


def end() -> None:
    """After all preparations: they stay, and are not to be looked through again and again."""
    gc.freeze()
    gc.enable()


def _enter(package: str) -> None:
    """Import a package without what it imports itself, until somebody asks for that.

    It is still whole: what it has from its modules is fetched from there, and for anything else it
    runs as it would have.
    """
    spec = None if package in sys.modules else importlib.util.find_spec(package)
    if spec is None or spec.loader is None:
        return
    module: Any = importlib.util.module_from_spec(spec)
    module.__getattr__ = lambda name: _fetch(module, spec, name)
    sys.modules[package] = module


def _fetch(module: Any, spec: ModuleSpec, name: str) -> Any:
    """What the package `module` would have as `name`."""
    loader: Any = spec.loader
    homes = _homes(loader, spec.name)
    if name in homes:
        value = getattr(importlib.import_module(homes[name]), name)
    elif importlib.util.find_spec(f"{spec.name}.{name}") is not None:
        value = importlib.import_module(f"{spec.name}.{name}")
    else:
        del module.__getattr__
        loader.exec_module(module)
        value = getattr(module, name)
    setattr(module, name, value)
    return value


@cache
def _homes(loader: Any, package: str) -> dict[str, str]:
    """The names that a package has from modules, and those modules. Read once for all names."""
    return {
        alias.name: importlib.util.resolve_name("." * node.level + (node.module or ""), package)
        for node in ast.parse(loader.get_source(package)).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname is None
    }
