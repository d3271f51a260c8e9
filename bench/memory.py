"""Measures the built sender's peak memory: when it is ready, and with ten hostile endpoints.

    python -m bench memory        after `make build`

Each batch runs in its own process, in the functions' Python. It has ten events for ten connectors
whose endpoints never end their answers (see `bench.hostile`). The batch, with the reading of its
configuration, must end within its attempts' deadline and a tenth.
"""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.child import line_of
from bench.cold_start import BUILT, CORE, PROCESS_SECONDS, PYTHON, ROOT, batch, environment
from bench.report import Figure

ENDPOINTS = 10
ATTEMPT_SECONDS = 10
"""As it is deployed. A tenth is enough for the cold start of ten threads and three clients."""

READY_BUDGET = 45.0
BATCH_BUDGET = 100.0
"""MB, of 1,000,000 bytes."""

WALL_BUDGET = 1.10
"""A multiple of an attempt's deadline, which an attempt may overrun by a tenth."""

KINDS = {
    "body": "bodies",
    "chunks": "bodies in chunks",
    "error": "bodies of a 500",
    "headers": "header lines",
    "line": "one header line",
    "interim": "interim answers",
    "bomb": "compressed bombs",
    "drip": "bodies of a byte a second",
}


ACKNOWLEDGING = frozenset({"body", "chunks", "bomb"})
"""The kinds of endpoints whose 200 acknowledges, although their body never ends."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """Peak memory of a process in MB, and the seconds that its batch took."""

    ready: float
    peak: float
    seconds: float


@contextlib.contextmanager
def outside(folder: Path) -> Iterator[str]:
    """The URL of AWS; `ca.pem` in the folder is its authority's, and the endpoints'."""
    with line_of("bench.hostile", str(folder), str(ENDPOINTS)) as port:
        yield f"https://127.0.0.1:{port}"


def events(kind: str) -> dict[str, Any]:
    """A batch with one event for each connector of a kind."""
    names = (f"projects/p/dataconnectors/{kind}-{number}" for number in range(ENDPOINTS))
    records = [batch(name)["Records"][0] for name in names]
    return {"Records": [record | {"messageId": str(place)} for place, record in enumerate(records)]}


def run(env: dict[str, str], kind: str) -> Peaks:
    """Run a process with one batch, of which either all events are acknowledged or none."""
    arguments = [str(ROOT / "bench/peak.py"), str(BUILT / "SenderFunction"), str(CORE)]
    output = subprocess.run(
        [PYTHON, *arguments],
        env=env,
        input=json.dumps(events(kind)),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=PROCESS_SECONDS,
    ).stdout
    found = json.loads(output.splitlines()[-1])
    failures = len(found["answer"]["batchItemFailures"])
    if failures != (0 if kind in ACKNOWLEDGING else ENDPOINTS):
        raise RuntimeError(f"{failures} of {ENDPOINTS} failed:\n{output}")
    return Peaks(found["ready"] / 1e6, found["peak"] / 1e6, found["seconds"])


def measure() -> list[Figure]:
    """Run a process for each kind of endpoint."""
    with tempfile.TemporaryDirectory() as name, outside(Path(name)) as url:
        env = environment(url, Path(name)) | {"ATTEMPT_TIMEOUT": str(ATTEMPT_SECONDS)}
        peaks = {kind: run(env, kind) for kind in KINDS}
    return [
        Figure("sender ready", [each.ready for each in peaks.values()], READY_BUDGET, "MB"),
        *(
            Figure(f"10 endpoints, endless {KINDS[kind]}", [each.peak], BATCH_BUDGET, "MB")
            for kind, each in peaks.items()
        ),
        Figure(
            "slowest of these batches / deadline of an attempt",
            [max(each.seconds for each in peaks.values()) / ATTEMPT_SECONDS],
            WALL_BUDGET,
        ),
    ]
