"""What makes a cold start cheaper: one call before a function's imports and one after its setup.

    from dataconnectors.aws import coldstart

    coldstart.begin()

    import …

    coldstart.end()

Each of the two saves a tenth of a cold start's CPU; `bench/cold_start.py` measures it.
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
"""Packages that import all that they offer: tracers, resolvers, the events of twenty services."""


def begin() -> None:
    """Before all other imports: stop garbage collection, and make `PACKAGES` import lazily."""
    gc.disable()  # it would run a hundred times during the imports, which leave no garbage
    for package in PACKAGES:
        _import_lazily(package)


def end() -> None:
    """After all setup: exempt everything made so far from garbage collection, as it stays."""
    gc.freeze()
    gc.enable()


def _import_lazily(package: str) -> None:
    """Put a package into `sys.modules` without running its `__init__.py`.

    Nothing is lost by that: a name that the package imports from one of its modules is fetched from
    there when somebody asks for it. For any other name, its `__init__.py` is run after all.
    """
    spec = None if package in sys.modules else importlib.util.find_spec(package)
    if spec is None or spec.loader is None:
        return
    module: Any = importlib.util.module_from_spec(spec)
    module.__getattr__ = lambda name: _fetch(module, spec, name)
    sys.modules[package] = module


def _fetch(module: Any, spec: ModuleSpec, name: str) -> Any:
    """The attribute `name` that the package `module` would have, had its `__init__.py` been run."""
    loader: Any = spec.loader
    modules = _modules_by_name(loader, spec.name)
    if name in modules:
        value = getattr(importlib.import_module(modules[name]), name)
    elif importlib.util.find_spec(f"{spec.name}.{name}") is not None:
        value = importlib.import_module(f"{spec.name}.{name}")
    else:
        del module.__getattr__
        loader.exec_module(module)
        value = getattr(module, name)
    setattr(module, name, value)
    return value


@cache
def _modules_by_name(loader: Any, package: str) -> dict[str, str]:
    """The module that each name of a package comes from, read once from its `__init__.py`."""
    return {
        alias.name: importlib.util.resolve_name("." * node.level + (node.module or ""), package)
        for node in ast.parse(loader.get_source(package)).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname is None
    }
