"""Reduces botocore's data to the operations that the package calls, when the layer is built.

    python trim.py BOTOCORE_DATA PACKAGE

The first client of a process reads the endpoints of 300 services and the models of all operations
of its service from packed files, which takes a seventh of a cold start's CPU. What stays is not
changed: all partitions and Regions, and every shape that a called operation refers to. The called
operations are found in the package's source, so nobody has to maintain a list of them.
"""

import gzip
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SERVICES = ("cloudwatch", "dynamodb", "events", "kms", "lambda", "sns", "sqs")
"""The services that the functions make clients for."""

KEPT_FILES = ("endpoint-rule-set-1", "paginators-1", "service-2")
"""Files of a service that stay. Examples and waiters go."""

NEEDED_BY_BOTOCORE = {"dynamodb": {"DescribeEndpoints"}}
"""Operations that botocore refers to when it makes a client, by service."""


def calls(package: Path) -> set[str]:
    """Every word in the package's source that can be the name of a client's method.

    This includes words in texts, so a method stays however its name is used.
    """
    text = "".join(path.read_text() for path in sorted(package.rglob("*.py")))
    return set(re.findall(r"\b[a-z_]+\b", text))


def method_name(operation: str) -> str:
    """The name of the client's method for an operation: `get_item` for GetItem."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()


def shapes_of(value: Any) -> Iterator[str]:
    """The names of the shapes that a part of a service model refers to."""
    if isinstance(value, dict):
        if isinstance(value.get("shape"), str):
            yield value["shape"]
        for part in value.values():
            yield from shapes_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from shapes_of(part)


def without_documentation(value: Any) -> Any:
    """A service model without its documentation, which is most of it."""
    if isinstance(value, dict):
        return {
            name: without_documentation(part)
            for name, part in value.items()
            if not (name == "documentation" and isinstance(part, str))
        }
    return [without_documentation(part) for part in value] if isinstance(value, list) else value


def trimmed(model: dict[str, Any], service: str, called: set[str]) -> dict[str, Any]:
    """A service model with only the called operations and the shapes that these need."""
    always = NEEDED_BY_BOTOCORE.get(service, set())
    operations = {
        name: operation
        for name, operation in model["operations"].items()
        if name in always or method_name(name) in called
    }
    shapes: dict[str, Any] = {}
    todo = list(shapes_of(operations))
    while todo:
        name = todo.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            todo += shapes_of(shapes[name])
    cut: dict[str, Any] = without_documentation(
        model | {"operations": operations, "shapes": shapes}
    )
    return cut


def read(path: Path) -> Any:
    """The content of a data file, which may be packed."""
    raw = path.read_bytes()
    return json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)


def write(path: Path, content: Any) -> None:
    """Write a data file, compact but not packed."""
    path.write_text(json.dumps(content, separators=(",", ":")))


def trim_service(folder: Path, called: set[str]) -> None:
    """Reduce one service to the newest version of its API, and that to what is needed."""
    *older, newest = sorted(path for path in folder.iterdir() if path.is_dir())
    for version in older:
        shutil.rmtree(version)
    for path in sorted(newest.iterdir()):
        name = path.name.partition(".")[0]
        content: Any = read(path) if name in KEPT_FILES else None
        path.unlink()
        if name == "service-2":
            content = trimmed(content, folder.name, called)
        if content is not None:
            write(newest / f"{name}.json", content)


def trim(data: Path, package: Path) -> None:
    """Reduce botocore's folder `data` to what the source in `package` calls."""
    called = calls(package)
    for folder in [path for path in data.iterdir() if path.is_dir()]:
        if folder.name in SERVICES:
            trim_service(folder, called)
        else:
            shutil.rmtree(folder)
    endpoints = read(data / "endpoints.json")
    for partition in endpoints["partitions"]:
        services = partition["services"].items()
        partition["services"] = {name: part for name, part in services if name in SERVICES}
    write(data / "endpoints.json", endpoints)


if __name__ == "__main__":
    trim(Path(sys.argv[1]), Path(sys.argv[2]))
