"""Measures how many attempts the sender makes in parallel, and its CPU time per event.

    python -m bench sender

Variants take turns, and the medians of the rounds' ratios are compared.
"""

import contextlib
import itertools
import json
import os
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import botocore.config
import botocore.session
import certifi
import urllib3
from aws_lambda_powertools.logging import Logger

from bench.child import line_of
from bench.report import Figure
from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.secrets import Secrets
from dataconnectors.delivery.attempt_counts import AttemptCounts
from dataconnectors.delivery.attempt_log import ENTRIES_PER_SECOND, Entry, Write
from dataconnectors.delivery.dead_letters import DeadLetterQueue
from dataconnectors.delivery.log_mode import LogMode
from dataconnectors.delivery.received import ReceivedMessage
from dataconnectors.delivery.sender import Sender
from dataconnectors.delivery.visibility import QueueVisibility
from dataconnectors.endpoints.client import EndpointClient
from dataconnectors.endpoints.dialler import Dialler
from dataconnectors.endpoints.tls import client_context
from dataconnectors.endpoints.transport import Transport
from dataconnectors.events.message import Message
from dataconnectors.kernel.workers import Workers
from dataconnectors.store.attempts import AttemptStore
from dataconnectors.store.expired_events import ExpiredEventStore
from dataconnectors.store.failing import FailingStore
from dataconnectors.store.table import Table
from tests.support.rows import PLAIN, a_connector, an_attempt

BATCH = 10
ROUNDS = 15
BATCHES_PER_ROUND = 20
"""Batches of 10 events. They take enough CPU time to measure, and are short enough for many
turns."""

FAN_OUTS = ((10, 0.05, 1.35), (10, 0.2, 1.10), (100, 0.2, 2.00))
"""Events in a batch, the seconds of each answer, and the budget of the batch's time as a multiple
of that. Two cores are shared with the endpoint."""

CPU_BUDGET = 1.3
LOG_BUDGET = 1.15
"""Issue F: the attempt log costs below 15 % of an event."""

LOG_ROUNDS = 40
"""What the log costs is little, so the median of more rounds is taken."""

EVENTS_PER_SECOND = 100
"""What one process sends to an endpoint that answers in 85 ms. All of them fail, say."""

ONE_IN = 100
"""The default of `AttemptLogSuccesses`."""

SECRETS = Secrets("0123456789abcdef0123456789abcdef", (("X-Key", "value"),))
BODY = json.dumps({"event": {"data": "x" * 400}, "labels": {"name": "Fridge"}, "metadata": {}})


class Aws:
    """A fake that returns the connector's row and its decrypted secret, without a call to AWS."""

    def __init__(self, url: str) -> None:
        self._connector = a_connector(url=url, sealed=b"sealed")

    def was_removed(self, _name: str) -> bool:
        """No connector was removed."""
        return False

    def connector(self, _name: str) -> Connector:
        """As `Store.connector`."""
        return self._connector

    def add(self, _name: str, _counts: AttemptCounts, _now: float) -> None:
        """As `AttemptCountStore.add`."""

    def decrypt(self, **_parameters: object) -> dict[str, bytes]:
        """As a KMS client's."""
        return {"Plaintext": SECRETS.to_bytes()}


@contextlib.contextmanager
def endpoint() -> Iterator[tuple[int, str]]:
    """The endpoint's port and the file of its authority."""
    with (
        tempfile.TemporaryDirectory() as directory,
        line_of("bench.endpoint", directory) as port,
    ):
        yield int(port), str(Path(directory, "ca.pem"))


EVENTS = itertools.count()
TURNS = itertools.count()


def records(count: int = BATCH) -> list[ReceivedMessage]:
    """A batch as SQS hands it over. Each event has an id of its own, by which the log samples."""
    now = time.time()
    return [
        ReceivedMessage(
            str(number),
            "handle",
            "arn:aws:sqs:r:1:q",
            1,
            now,
            now,
            Message(PLAIN.name, PLAIN.epoch, f"d6e1b8t0h{next(EVENTS):011d}", 0, BODY).to_text(),
        )
        for number in range(count)
    ]


def a_sender(
    transport: Transport,
    url: str,
    log: Logger,
    mode: LogMode = LogMode.OFF,
    write_attempts: Write = len,
    workers: int = BATCH,
) -> Sender:
    """The sender as the function wires it, but with loopback allowed and without AWS."""
    aws = Aws(url)
    return Sender(
        connectors=aws,
        vault=Vault(aws),
        endpoint_client=EndpointClient(transport, (ip_network("127.0.0.0/8"),), timeout=10),
        visibility=QueueVisibility(None),
        dead_letters=DeadLetterQueue(None, ""),
        expired_events=ExpiredEventStore(Table(None, "")),
        attempt_counters=aws,
        failing_connectors=FailingStore(Table(None, "")),
        workers=Workers(workers),
        log=log,
        log_mode=mode,
        log_one_in=ONE_IN,
        write_attempts=write_attempts,
    )


def a_table(port: int, authority: str) -> Table:
    """A table whose calls botocore makes as in the function, to the endpoint of this bench."""
    dynamodb = botocore.session.get_session().create_client(
        "dynamodb",
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",  # no secret: nobody checks it
        endpoint_url=f"https://127.0.0.1:{port}",
        verify=authority,
        config=botocore.config.Config(user_agent="dataconnectors"),
    )
    return Table(dynamodb, "bench")


def send(sender: Sender, count: int = BATCH) -> None:
    """One batch, all delivered."""
    failed = sender.send(records(count), 30)
    assert not failed, failed


def send_logging(sender: Sender, entries: float) -> None:
    """One batch, of which so many attempts may be logged."""
    sender._attempt_log._tokens = entries
    send(sender)


def send_under_load(sender: Sender) -> None:
    """One batch of a process that sends a hundred events a second and would log all of them."""
    batches_per_second = EVENTS_PER_SECOND // BATCH
    is_first = next(TURNS) % batches_per_second == 0
    send_logging(sender, ENTRIES_PER_SECOND if is_first else 0)


def cpu(work: Callable[[], None]) -> float:
    """CPU seconds of this process for a round of batches."""
    before = time.process_time()
    for _ in range(BATCHES_PER_ROUND):
        work()
    return time.process_time() - before


def wall(work: Callable[[], None]) -> float:
    """Seconds for one batch."""
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def measure() -> list[Figure]:
    """Measure batches to one endpoint, in turns with bare POSTs."""
    loads: list[str] = []
    load = ssl.SSLContext.load_verify_locations

    def counted(context: ssl.SSLContext, path: str, *others: Any) -> None:
        loads.append(path)
        load(context, path, *others)

    with endpoint() as (port, authority), Path(os.devnull).open("w") as nowhere:
        base_tls = ssl.create_default_context(cafile=authority)
        log = Logger(service="bench", stream=nowhere)
        ssl.SSLContext.load_verify_locations = counted  # type: ignore[method-assign,assignment]  # to count
        transport = Transport(client_context(authority), Dialler((ip_network("127.0.0.0/8"),)))
        fast = a_sender(transport, f"https://127.0.0.1:{port}/0", log)
        pool = urllib3.HTTPSConnectionPool("127.0.0.1", port, maxsize=BATCH, ssl_context=base_tls)
        workers = ThreadPoolExecutor(BATCH)
        body, headers = BODY.encode(), {"Content-Type": "application/json"}

        def post(_number: int) -> None:
            answer = pool.urlopen("POST", "/0", body, headers, retries=False, redirect=False)
            assert answer.status == 200

        def bare() -> None:
            list(workers.map(post, range(BATCH)))

        store = AttemptStore(a_table(port, authority))
        # The first call makes a connection. If it took half a second, the log would pause.
        assert store.write([an_attempt(PLAIN.name, time.time())]) == 0
        written = 0

        def write(entries: Sequence[Entry]) -> int:
            nonlocal written
            written += len(entries)
            return store.write(entries)

        url = f"https://127.0.0.1:{port}/0"
        sampling = a_sender(transport, url, log, LogMode.SAMPLED, write)
        logging = a_sender(transport, url, log, LogMode.ALL, write)
        fan_outs = [
            Figure(
                f"fan-out, {count} x {latency * 1000:.0f} ms: wall / one answer",
                fan_out(a_sender(transport, url, log, workers=count), count, latency),
                budget,
            )
            for count, latency, budget in FAN_OUTS
            for url in [f"https://127.0.0.1:{port}/{latency}"]
        ]
        bare()
        for sender in (fast, sampling, logging):
            send_logging(sender, BATCH)
        opened, written = transport.opened, 0
        pairs = [(cpu(lambda: send(fast)), cpu(bare)) for _ in range(ROUNDS)]
        logs = [
            (
                cpu(lambda: send(fast)),
                cpu(lambda: send(sampling)),
                cpu(lambda: send_under_load(logging)),
                cpu(lambda: send_logging(logging, BATCH)),
            )
            for _ in range(LOG_ROUNDS)
        ]
        assert written > 1.1 * LOG_ROUNDS * BATCHES_PER_ROUND * BATCH, written
        new_connections = transport.opened - opened
        transport.close()
        pool.close()
        workers.shutdown()
    milliseconds = 1e3 / (BATCHES_PER_ROUND * BATCH)
    one_in = [sampled / off for off, sampled, *_ in logs]
    loaded = [some / off for off, _, some, _ in logs]
    return [
        *fan_outs,
        Figure("CPU per event / one kept urllib3 POST", [a / b for a, b in pairs], CPU_BUDGET),
        Figure("CPU per event", [ours * milliseconds for ours, _ in pairs], None, "ms"),
        Figure("CPU per urllib3 POST", [base * milliseconds for _, base in pairs], None, "ms"),
        Figure(f"CPU per event, one success in {ONE_IN} logged / no log", one_in, LOG_BUDGET),
        Figure("CPU per event, 10 of 100 a second logged / no log", loaded, LOG_BUDGET),
        Figure(
            "CPU per attempt in the log",
            [(every - off) * milliseconds for off, *_, every in logs],
            None,
            "ms",
        ),
        Figure("new TLS connections once warm", [new_connections], 0),
        Figure("loads of certifi's authorities", [loads.count(certifi.where())], 1),
    ]


def fan_out(sender: Sender, count: int, latency: float) -> list[float]:
    """How long batches take, as multiples of the seconds of one answer."""
    send(sender, count)  # makes the connections
    return [wall(lambda: send(sender, count)) / latency for _ in range(ROUNDS)]
