"""The bill of a stack for a month of a steady load: what is used, line by line, at list prices."""

import math
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench.cost import measured, prices
from bench.cost.prices import Price
from tools.dashboard import resources_and_parameters

TEMPLATE = Path(__file__).parents[2] / "template.yaml"

HOURS = 730.0
MONTH = HOURS * 3600
"""AWS's month, in hours and in seconds."""

BATCH = 10
"""Messages of the largest batch of SQS, and of the sender."""

HISTORY_SECONDS = 31 * 86_400
LOG_SECONDS = 3 * 86_400
"""How long an event, and an attempt in the attempt log, is kept."""

ONE_IN = 100
RATE_OF_LOG = 10.0
"""One success in so many is logged by default; and a process logs so many attempts a second."""

SECRET_SECONDS = 30.0
"""How long a process keeps what KMS has opened, and who is calling."""

CALLER_UNITS = 7
API_CHUNK, SQS_CHUNK = 512 * 1024, 64 * 1024
WRITE_CHUNK = 1024
GIGABYTE = 1e9

RECONCILER_MINUTE, RECONCILER_UNITS, RECONCILER_LOG = 60.0, 5, 700
ACCOUNTED_METRICS = 4
"""A run each minute, its read units, the bytes that it logs; and metrics of each queue that the
hourly accounting reads."""

CHECKED_QUEUES, CHECK_SECONDS = 20, 900.0
"""Queues whose attributes the drift check reads, each quarter of an hour."""

METRICS = 9
"""Metrics of our own: docs/operations.md lists them."""

ACCEPT, KEEP, DELIVER, OPERATE = "accept", "keep", "deliver", "operate"
PARTS = (ACCEPT, KEEP, DELIVER, OPERATE)


class Load(NamedTuple):
    """What a stack does all month: `rate` events a second, spread evenly over connectors.

    `latency` is in seconds; `bytes` is an event's size, `publish` how many come in a call; `fill`
    of 0 stands for batches as the model estimates them. `failures` is the part of attempts that is
    answered with an error. Each event goes to one connector.
    """

    rate: float = 100.0
    latency: float = 0.1
    connectors: int = 1
    bytes: int = 600
    publish: int = 1
    fill: float = 0.0
    failures: float = 0.0
    history: bool = True
    attempt_log: str = "sampled"
    nat: bool = False


class Line(NamedTuple):
    """`quantity` of `price.unit` a month, for what `name` says."""

    part: str
    name: str
    quantity: float
    price: Price

    @property
    def dollars(self) -> float:
        """Dollars a month."""
        return self.quantity * self.price.dollars


class Bill(NamedTuple):
    """The lines of a month, and the deliveries that they are for."""

    lines: tuple[Line, ...]
    deliveries: float

    @property
    def dollars(self) -> float:
        """Dollars a month."""
        return sum(line.dollars for line in self.lines)

    def per_million(self, *parts: str) -> float:
        """Dollars for a million delivered events; of these parts, or of all."""
        dollars = sum(line.dollars for line in self.lines if not parts or line.part in parts)
        return dollars / self.deliveries * 1e6


class Stack(NamedTuple):
    """What template.yaml sets: memory in MB, and the number of alarms."""

    sender: int
    ingest: int
    reconciler: int
    alarms: int


@cache
def stack() -> Stack:
    """Read the template."""
    resources, parameters = resources_and_parameters(TEMPLATE.read_text())

    def memory(function: str) -> int:
        return int(resources[function]["Properties"]["MemorySize"])

    return Stack(
        int(parameters["SenderMemory"]["Default"]),
        memory("IngestFunction"),
        memory("ReconcilerFunction"),
        sum(each["Type"] == "AWS::CloudWatch::Alarm" for each in resources.values()),
    )


class Sending(NamedTuple):
    """How the sender works under a load; rates are those of a second and of all connectors."""

    attempts: float
    fill: float
    batches: float
    seconds: float  # of an invocation
    empty_receives: float

    @property
    def concurrency(self) -> float:
        """Invocations at the same time, on average."""
        return self.batches * self.seconds


def sending(load: Load, cpu: measured.Cpu) -> Sending:
    """How full batches are, and how long they take.

    Lambda's pollers take what is there. While they are all busy, messages gather: a batch has what
    comes within the time of one divided by the number of pollers. Above ten, pollers are added.
    """
    core = measured.CORE_MB / stack().sender / 1000
    attempts = load.rate / (1 - load.failures)
    logged = _logged_share(load)
    fixed = (
        load.latency
        + (measured.SENDER_CALLS + min(1.0, logged)) * measured.CALL_SECONDS
        + measured.SENDER_BATCH_MS * core
    )
    each = cpu.sender_event * core
    arrivals = attempts / load.connectors / measured.POLLERS
    busy = 1 - arrivals * each
    gathered = arrivals * (fixed + measured.POLL_SECONDS) / busy if busy > 0 else math.inf
    fill = load.fill or min(max(gathered, 1.0), float(BATCH))
    batches = attempts / fill
    seconds = fixed + fill * each
    share = min(1.0, batches * seconds / load.connectors / measured.POLLERS)
    waits = batches / load.connectors / measured.POLLERS * measured.LONG_POLL_SECONDS
    # A receive comes back empty when nothing arrives in all of its seconds (Poisson).
    empty = waits / math.expm1(waits) if 0 < waits < 700 else float(not waits)
    receives = load.connectors * measured.POLLERS / measured.LONG_POLL_SECONDS
    return Sending(attempts, fill, batches, seconds, receives * empty * (1 - share))


def _logged_share(load: Load) -> float:
    """The part of attempts that the attempt log should have."""
    shares = {
        "all": 1.0,
        "sampled": load.failures + (1 - load.failures) / ONE_IN,
        "failures": load.failures,
        "off": 0.0,
    }
    return shares[load.attempt_log]


def bill(load: Load, cpu: measured.Cpu | None = None) -> Bill:
    """The bill of a month."""
    cpu = cpu or measured.cpu()
    made = sending(load, cpu)
    lines = (
        *_accept(load, cpu),
        *_keep(load),
        *_deliver(load, made),
        *_operate(load, made),
    )
    return Bill(tuple(each for each in lines if each.quantity), load.rate * MONTH)


def idle_connector() -> Bill:
    """What a connector costs in a month in which nothing comes for it."""
    nothing = Sending(0, 1, 0, 0, measured.POLLERS / measured.LONG_POLL_SECONDS)
    return Bill(tuple(_connectors(Load(connectors=1), nothing)), 0)


def _monthly(part: str) -> Callable[[str, float, Price], Line]:
    """Lines of this part, from quantities a second."""
    return lambda name, each_second, price: Line(part, name, each_second * MONTH, price)


def _chunks(size: float, of: int) -> int:
    return max(1, math.ceil(size / of))


def _logs(part: str, name: str, bytes_a_second: float) -> Iterator[Line]:
    gigabytes = bytes_a_second * MONTH / GIGABYTE
    yield Line(part, f"log: {name}", gigabytes, prices.LOG_INGESTED)
    yield Line(part, f"log, 30 days: {name}", gigabytes, prices.LOG_STORED)


def _accept(load: Load, cpu: measured.Cpu) -> Iterator[Line]:
    line = _monthly(ACCEPT)
    calls = load.rate / load.publish
    core = measured.CORE_MB / stack().ingest / 1000
    seconds = (cpu.ingest_request + load.publish * cpu.ingest_event) * core
    seconds += measured.INGEST_CALLS * measured.CALL_SECONDS
    used = min(load.connectors, load.publish)
    queued = load.publish / used
    entries = min(queued, BATCH)
    sends = used * math.ceil(queued / BATCH)
    processes = max(1.0, calls * seconds)
    callers = min(calls, processes / SECRET_SECONDS)
    yield line(
        "API requests", calls * _chunks(load.publish * load.bytes, API_CHUNK), prices.API_REQUEST
    )
    yield line("ingest: requests", calls, prices.LAMBDA_REQUEST)
    yield line("ingest: time", calls * seconds * stack().ingest / 1024, prices.LAMBDA_GB_SECOND)
    yield line("version and devices", calls * (1 + load.publish), prices.READ_UNIT)
    yield line("callers", callers * CALLER_UNITS, prices.READ_UNIT)
    yield line("KMS: token keys", callers, prices.KMS_REQUEST)
    sent = _chunks(entries * (load.bytes + measured.MESSAGE_BYTES), SQS_CHUNK)
    yield line("SQS: send", calls * sends * sent, prices.SQS_REQUEST)
    yield line(
        "answers to publishers", calls * measured.ANSWER_BYTES / GIGABYTE, prices.TRANSFER_OUT
    )
    logged = measured.INGEST_BYTES + measured.ACCESS_BYTES + 2 * measured.LINE_BYTES
    yield from _logs(ACCEPT, "API and ingest", calls * logged)
    yield from _logs(ACCEPT, "Lambda, ingest", calls * measured.PLATFORM_BYTES)


def _keep(load: Load) -> Iterator[Line]:
    line = _monthly(KEEP)
    size = load.bytes + measured.ITEM_BYTES
    units = load.rate * _chunks(size, WRITE_CHUNK)
    yield line("last values", units, prices.WRITE_UNIT)
    if load.history:
        yield line("history: write", units, prices.WRITE_UNIT)
        yield from _stored("history", load.rate * HISTORY_SECONDS * size)


def _stored(name: str, size: float) -> Iterator[Line]:
    yield Line(KEEP, f"{name}: storage", size / GIGABYTE, prices.TABLE_STORAGE)
    yield Line(KEEP, f"{name}: recovery", size / GIGABYTE, prices.TABLE_RECOVERY)


def _deliver(load: Load, made: Sending) -> Iterator[Line]:
    line = _monthly(DELIVER)
    batches, fill, failures = made.batches, made.fill, load.failures
    chunks = _chunks(fill * (load.bytes + measured.MESSAGE_BYTES), SQS_CHUNK)
    yield line("sender: requests", batches, prices.LAMBDA_REQUEST)
    yield line("sender: time", made.concurrency * stack().sender / 1024, prices.LAMBDA_GB_SECOND)
    yield line("SQS: receive", batches * chunks, prices.SQS_REQUEST)
    yield line("SQS: delete", batches * (1 - failures**fill), prices.SQS_REQUEST)
    some_failed = batches * (1 - (1 - failures) ** fill)
    yield line("SQS: back-off", some_failed, prices.SQS_REQUEST)
    yield line("connector", batches, prices.READ_UNIT)
    yield line("attempt counts", batches, prices.WRITE_UNIT)
    yield line("failing connector", batches * failures**fill, prices.WRITE_UNIT)
    # Each of a connector's processes opens its secrets, at most once in 30 s.
    processes = max(float(load.connectors), made.concurrency)
    yield line("KMS: secrets", min(batches, processes / SECRET_SECONDS), prices.KMS_REQUEST)
    sent = made.attempts * (load.bytes + measured.HEADER_BYTES) / GIGABYTE
    yield line("attempts: data out", sent, prices.TRANSFER_OUT)
    if load.nat:
        yield line("attempts through NAT", sent, prices.NAT_TRAFFIC)
    logged = measured.BATCH_BYTES + measured.BATCH_LINES * measured.LINE_BYTES
    yield from _logs(
        DELIVER, "sender", batches * logged + made.attempts * measured.BATCH_EVENT_BYTES
    )
    failed = made.attempts * failures * (measured.FAILED_BYTES + measured.LINE_BYTES)
    yield from _logs(DELIVER, "failed attempts", failed)
    yield from _logs(DELIVER, "Lambda, sender", batches * measured.PLATFORM_BYTES)
    kept = min(made.attempts * _logged_share(load), RATE_OF_LOG * max(1.0, made.concurrency))
    yield line("attempt log: write", kept * measured.LOGGED_UNITS, prices.WRITE_UNIT)
    yield from _stored("attempt log", kept * LOG_SECONDS * measured.LOGGED_BYTES)


def _operate(load: Load, made: Sending) -> Iterable[Line]:
    line = _monthly(OPERATE)
    yield from _connectors(load, made)
    yield Line(OPERATE, "metrics", METRICS, prices.METRIC)
    yield Line(OPERATE, "alarms", stack().alarms, prices.ALARM)
    yield Line(OPERATE, "dashboard", 1, prices.DASHBOARD)
    yield Line(OPERATE, "key", 1, prices.KMS_KEY)
    runs = 1 / RECONCILER_MINUTE
    yield line("reconciler: requests", runs, prices.LAMBDA_REQUEST)
    gigabyte_seconds = runs * measured.RECONCILER_SECONDS * stack().reconciler / 1024
    yield line("reconciler: time", gigabyte_seconds, prices.LAMBDA_GB_SECOND)
    yield line("reconciler: reads", runs * RECONCILER_UNITS, prices.READ_UNIT)
    checked = min(load.connectors, CHECKED_QUEUES) / CHECK_SECONDS
    yield line("SQS: drift check", checked, prices.SQS_REQUEST)
    yield from _logs(OPERATE, "reconciler", runs * (RECONCILER_LOG + measured.PLATFORM_BYTES))
    if load.nat:
        yield Line(OPERATE, "NAT gateways, two zones", 2 * HOURS, prices.NAT_GATEWAY)
        yield Line(OPERATE, "their addresses", 2 * HOURS, prices.PUBLIC_ADDRESS)


def _connectors(load: Load, made: Sending) -> Iterator[Line]:
    line = _monthly(OPERATE)
    yield line("SQS: empty receives", made.empty_receives, prices.SQS_REQUEST)
    read = load.connectors * ACCOUNTED_METRICS / 3600
    yield line("hourly accounting", read, prices.METRIC_READ)
