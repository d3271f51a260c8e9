"""What the model takes from measurements and assumptions, and where each number is from.

CPU is that of one core of the machine that `MEASURED` names. Lambda gives a core at 1,769 MB, and a
proportion of it below that. Its arm64 cores are other cores; nobody has measured the difference.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).parents[1] / "results.json"

MEASURED = "commit 8a91802, 2026-11-29, a quiet shared x86-64 core (AMD EPYC), Python 3.13"
"""Of ingest: 3.19 ms for an event alone in a call, and 1.10 for each of a hundred (`make bench`,
part handlers); of the sender 0.30 ms (part sender)."""


class Cpu(NamedTuple):
    """Milliseconds of CPU on a whole core."""

    ingest_request: float  # of a publish call, its calls of AWS included
    ingest_event: float  # of each event in it
    sender_event: float  # of an attempt
    source: str


RECORDED = Cpu(2.11, 1.08, 0.30, MEASURED)

ONE, HUNDRED = (f"ingest, {count} events to 1 connectors: CPU per event" for count in (1, 100))
SENDER = "CPU per event"
"""Names of figures in bench/results.json."""

SENDER_BATCH_MS = 2.0
"""CPU of a batch's GetItem and UpdateItem by botocore: 0.93 and about 1.0 ms (with Python 3.12)."""

CORE_MB = 1769
"""AWS: at this memory, a function has a whole core."""


def cpu(results: Path = RESULTS) -> Cpu:
    """The CPU of the last whole `make bench` if there was one here, else what is recorded."""
    if not results.exists():
        return RECORDED
    document = json.loads(results.read_text())
    medians = {
        (part, figure["name"]): figure["median"]
        for part, measured in document["parts"].items()
        for figure in measured["figures"]
    }
    wanted = [("handlers", ONE), ("handlers", HUNDRED), ("sender", SENDER)]
    missing = [name for part, name in wanted if (part, name) not in medians]
    if missing:
        raise ValueError(f"{results.name} lacks {missing[0]!r}: run make bench again")
    one, hundred, sender = (medians[each] for each in wanted)
    return from_figures(one, hundred, sender, _source(document))


def from_figures(one: float, hundred: float, sender: float, source: str) -> Cpu:
    """From the milliseconds for each event of calls with one event, and with a hundred."""
    request = max(0.0, one - hundred) * 100 / 99
    return Cpu(request, one - request, sender, source)


def _source(document: Mapping[str, Any]) -> str:
    return f"bench/results.json, commit {document['commit']}, {document['machine']}"


# --- Assumptions ---------------------------------------------------------------------------------

CALL_SECONDS = 0.005
"""Seconds that a call of SQS or DynamoDB waits for its answer."""

INGEST_CALLS, SENDER_CALLS = 3, 2
"""Calls one after another: read, keep, send; and read the connector, count the attempts."""

POLL_SECONDS = 0.02
"""Seconds in which a poller deletes a batch and receives the next one, besides the invocation."""

POLLERS = 5
"""AWS: Lambda reads a queue with five processes at first. They are as many while nothing is left in
the queue, and no fewer, because mappings have a maximum concurrency."""

LONG_POLL_SECONDS = 20.0
"""How long an empty receive takes. Others have seen 15 a minute for an idle mapping."""

RECONCILER_SECONDS = 0.3
"""Seconds of a run in which there is nothing to do: its calls, and their CPU with 256 MB."""

HEADER_BYTES = 900
"""Bytes of an attempt besides its body: request line and headers with the signature (a token of
about 500), TLS, and TCP's acknowledgement of the answer. An assumption."""

ANSWER_BYTES = 400
"""Bytes of the answer to a publish call."""

ITEM_BYTES = 150
"""Bytes of an item of history or a last value besides the event: names and keys."""

MESSAGE_BYTES = 300
"""Bytes of a message of SQS besides the event: labels, metadata, the connector's name."""

LOGGED_UNITS, LOGGED_BYTES = 3, 2500
"""Write units and stored bytes of an attempt in the attempt log (template.yaml: AttemptLog)."""

# --- Log lines: counted with the functions' own code, ids of 20 characters, 2026-11-28 ------------

LINE_BYTES = 26
"""Bytes that CloudWatch adds to each line it bills."""

PLATFORM_BYTES = 400
"""START, END and REPORT, which Lambda itself writes for an invocation."""

BATCH_LINES, BATCH_BYTES = 3, 225 + 384 + 404
"""delivery.batch, and two lines of metrics."""

BATCH_EVENT_BYTES = 7
"""In the metrics, for each further attempt."""

FAILED_BYTES = 365
INGEST_BYTES = 214
ACCESS_BYTES = 330
"""delivery.failed, ingest.accepted, and the API's access log."""
