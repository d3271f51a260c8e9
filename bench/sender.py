"""Measures how many attempts the sender makes in parallel, and its CPU time per event.

    python -m bench.sender

Variants take turns, and the medians of the rounds' ratios are compared.
"""

import contextlib
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path

import certifi
import urllib3
from aws_lambda_powertools.logging import Logger

from bench.report import Row, report
from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.secrets import Secrets
from dataconnectors.delivery.attempt_counts import AttemptCounts
from dataconnectors.delivery.dead_letters import DeadLetterQueue
from dataconnectors.delivery.received import ReceivedMessage
from dataconnectors.delivery.sender import Sender
from dataconnectors.delivery.visibility import QueueVisibility
from dataconnectors.endpoints.client import EndpointClient
from dataconnectors.endpoints.dialler import Dialler
from dataconnectors.endpoints.tls import client_context
from dataconnectors.endpoints.transport import Transport
from dataconnectors.events.message import Message
from dataconnectors.kernel.workers import Workers
from dataconnectors.store.expired_events import ExpiredEventStore
from dataconnectors.store.failing import FailingStore
from dataconnectors.store.table import Table
from tests.support.rows import PLAIN, a_connector

BATCH = 10
LATENCY = 0.2
ROUNDS = 15
BATCHES_PER_ROUND = 20
"""Batches of 10 events. They take enough CPU time to measure, and are short enough for many
turns."""

WALL_BUDGET = 1.10
CPU_BUDGET = 1.6

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
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, str(Path(__file__).with_name("endpoint.py")), directory]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            yield int(process.stdout.readline()), str(Path(directory, "ca.pem"))
            process.communicate()


def records() -> list[ReceivedMessage]:
    """A batch as SQS hands it over."""
    text = Message(PLAIN.name, PLAIN.epoch, "d6e1b8t0h3q2v7k4m9ng", 0, BODY).to_text()
    now = time.time()
    return [
        ReceivedMessage(str(number), "handle", "arn:aws:sqs:r:1:q", 1, now, now, text)
        for number in range(BATCH)
    ]


def a_sender(transport: Transport, url: str, log: Logger) -> Sender:
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
        workers=Workers(BATCH),
        log=log,
    )


def send(sender: Sender) -> None:
    """One batch, all delivered."""
    failed = sender.send(records(), 30)
    assert not failed, failed


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


def measure() -> list[Row]:
    """Measure batches to one endpoint, in turns with bare POSTs."""
    loads: list[str] = []
    load = ssl.SSLContext.load_verify_locations

    def counted(context: ssl.SSLContext, path: str) -> None:
        loads.append(path)
        load(context, path)

    with endpoint() as (port, authority), Path(os.devnull).open("w") as nowhere:
        base_tls = ssl.create_default_context(cafile=authority)
        log = Logger(service="bench", stream=nowhere)
        ssl.SSLContext.load_verify_locations = counted  # type: ignore[method-assign,assignment]  # to count
        transport = Transport(client_context(authority), Dialler((ip_network("127.0.0.0/8"),)))
        slow = a_sender(transport, f"https://127.0.0.1:{port}/{LATENCY}", log)
        fast = a_sender(transport, f"https://127.0.0.1:{port}/0", log)
        pool = urllib3.HTTPSConnectionPool("127.0.0.1", port, maxsize=BATCH, ssl_context=base_tls)
        workers = ThreadPoolExecutor(BATCH)
        body, headers = BODY.encode(), {"Content-Type": "application/json"}

        def post(_number: int) -> None:
            answer = pool.urlopen("POST", "/0", body, headers, retries=False, redirect=False)
            assert answer.status == 200

        def bare() -> None:
            list(workers.map(post, range(BATCH)))

        for warm_up in (bare, lambda: send(fast), lambda: send(slow)):
            warm_up()
        opened = transport.opened
        walls = [wall(lambda: send(slow)) / LATENCY for _ in range(ROUNDS)]
        pairs = [(cpu(lambda: send(fast)), cpu(bare)) for _ in range(ROUNDS)]
        transport.close()
        pool.close()
        workers.shutdown()
    events = BATCHES_PER_ROUND * BATCH
    ours, base = (statistics.median(column) / events * 1e3 for column in zip(*pairs, strict=True))
    print(f"(CPU per event {ours:.2f} ms, per urllib3 POST {base:.2f} ms)")
    return [
        ("fan-out wall / slowest answer (10 x 200 ms)", statistics.median(walls), WALL_BUDGET),
        (
            "CPU per event / one kept urllib3 POST",
            statistics.median(ours / base for ours, base in pairs),
            CPU_BUDGET,
        ),
        ("new TLS connections once warm", transport.opened - opened, 0),
        ("loads of certifi's authorities", loads.count(certifi.where()), 1),
    ]


def main() -> int:
    """Measure, print, and return the exit status."""
    return report(measure())


if __name__ == "__main__":
    sys.exit(main())
