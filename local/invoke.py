"""`make invoke FN=...`: one built function, once for each of its files in events/.

With a Docker engine it uses `sam local invoke`. Without one, the function runs under Lambda's own
runtime client, and its calls to AWS go to the stack on the emulator.

    python -m local.invoke sender

`make runtime` runs all functions under the runtime client, with a cold start for each file, and
prints a table:

    python -m local.invoke --table
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from local.emulator import (
    BUILD,
    EMULATOR_PYTHON,
    FUNCTIONS_PYTHON,
    KEY,
    LOCAL_PARAMETERS,
    REGION,
    STACK,
    Emulator,
    EmulatorError,
    deploy,
)
from local.ports import HOST
from local.runtime import Function, Outcome, RuntimeHost, RuntimeHostError

EVENTS = Path("events")
SAM = Path(".venv/sam/bin/sam")
LAYER = "CoreLayer"

DOCKER_TIMEOUT_S = 10

TABLE_INIT_TIMEOUT_S = 120.0
"""Seconds. The table is also a test, and tests share the machine with others. It shows the time."""

WARM_CALLS = 2
"""Calls of each environment in a table, after the one that follows its cold start."""


class Row(NamedTuple):
    """A file's calls in an environment of their own, the first after a cold start.

    `ends` has what each ended with: `response`, with the status of an answer over HTTP, or `error`.
    `milliseconds` has the times of start and calls.
    """

    function: str
    file: str
    ends: list[str]
    milliseconds: list[float]


def logical_id(folder: str) -> str:
    """The name in template.yaml of the function in functions/`folder`."""
    return "".join(word.capitalize() for word in folder.split("_")) + "Function"


def folders() -> list[str]:
    """The folders in functions/, in order."""
    return sorted(path.parent.name for path in Path("functions").glob("*/app.py"))


def event_files(folder: str) -> list[Path]:
    """The events of a function: `<folder>.json` and `<folder>_<what>.json`."""
    return sorted({*EVENTS.glob(f"{folder}.json"), *EVENTS.glob(f"{folder}_*.json")})


def docker_answers() -> bool:
    """Whether a Docker engine answers. The client may be installed without one."""
    try:
        run = subprocess.run(["docker", "info"], capture_output=True, timeout=DOCKER_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0


def invoke_with_sam(folder: str, files: list[Path]) -> int:
    """`sam local invoke`, once for each file."""
    env = os.environ | {"SAM_CLI_TELEMETRY": "0"}
    for file in files:
        run = subprocess.run([SAM, "local", "invoke", logical_id(folder), "-e", file], env=env)
        if run.returncode:
            return run.returncode
    return 0


@contextlib.contextmanager
def deployed_stack() -> Iterator[Emulator]:
    """The emulator with the built stack, for as long as the `with` block lasts."""
    with tempfile.TemporaryDirectory() as directory:
        emulator = Emulator(
            interpreter=EMULATOR_PYTHON,
            functions_interpreter=FUNCTIONS_PYTHON,
            state_dir=Path(directory),
        )
        try:
            emulator.start()
            deploy(emulator, BUILD, LOCAL_PARAMETERS)
            yield emulator
        finally:
            emulator.stop()


def table() -> Iterator[Row]:
    """Each function with each of its files, in an environment of its own."""
    with deployed_stack() as emulator:
        for folder in folders():
            function = deployed(emulator, folder)
            for file in event_files(folder):
                event = json.loads(file.read_text())
                started = time.monotonic()
                with RuntimeHost(FUNCTIONS_PYTHON, function, TABLE_INIT_TIMEOUT_S) as host:
                    start = (time.monotonic() - started) * 1000
                    outcomes = [host.invoke(event) for _ in range(1 + WARM_CALLS)]
                times = [start, *(outcome.milliseconds for outcome in outcomes)]
                yield Row(folder, file.name, [end_of(outcome) for outcome in outcomes], times)


def end_of(outcome: Outcome) -> str:
    """What a call ended with, as a row has it. A status of 500 and above is an error too."""
    status = outcome.value.get("statusCode") if isinstance(outcome.value, dict) else None
    if status is None:
        return outcome.kind
    return f"response {status}" if status < 500 else f"error {status}"


def print_table() -> int:
    """Print the table; 1 when a call ended with an error."""
    print(f"{'function':<12} {'event':<28} {'cold start':>10} {'first':>9}  warm, in milliseconds")
    failed = 0
    for row in table():
        start, first, *warm = (f"{value:.0f}" for value in row.milliseconds)
        ends = ", ".join(sorted(set(row.ends)))
        print(
            f"{row.function:<12} {row.file:<28} {start:>10} {first:>9}  {', '.join(warm)}  {ends}",
            flush=True,
        )
        failed += any(end.startswith("error") for end in row.ends)
    return 1 if failed else 0


def invoke_without_docker(folder: str, files: list[Path]) -> int:
    """Run the built function under awslambdaric; 1 when an invocation ended with an error."""
    failed = 0
    with (
        deployed_stack() as emulator,
        RuntimeHost(FUNCTIONS_PYTHON, deployed(emulator, folder)) as host,
    ):
        for file in files:
            outcome = host.invoke(json.loads(file.read_text()))
            print(f"{file}: {outcome.kind} after {outcome.milliseconds:.0f} ms")
            print(json.dumps(outcome.value, indent=2), flush=True)
            failed += outcome.kind == "error"
    return 1 if failed else 0


def deployed(emulator: Emulator, folder: str) -> Function:
    """The function as it is deployed, with the stack's names in its environment."""
    name = emulator.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId=logical_id(folder)
    )["StackResourceDetail"]["PhysicalResourceId"]
    known = emulator.client("lambda").get_function_configuration(FunctionName=name)
    return Function(
        name=name,
        handler=known["Handler"],
        code=BUILD / logical_id(folder),
        layer=BUILD / LAYER,
        environment={
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": f"http://{HOST}:{emulator.port}",
            **known["Environment"]["Variables"],
        },
        timeout=known["Timeout"],
        memory=known["MemorySize"],
    )


def main() -> int:
    """Invoke the function, or all; 1 when that is impossible or ends with an error."""
    (folder,) = sys.argv[1:]
    if folder == "--table":
        return print_table()
    if not (BUILD / logical_id(folder)).is_dir():
        known = ", ".join(folders())
        print(f"invoke: FN is '{folder}', expected one of {known}", file=sys.stderr)
        return 1
    files = event_files(folder)
    if not files:
        print(f"invoke: there is no {EVENTS}/{folder}*.json", file=sys.stderr)
        return 1
    if docker_answers():
        return invoke_with_sam(folder, files)
    print("no Docker engine answers: running under awslambdaric instead", flush=True)
    try:
        return invoke_without_docker(folder, files)
    except (EmulatorError, RuntimeHostError) as error:
        print(f"invoke: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
