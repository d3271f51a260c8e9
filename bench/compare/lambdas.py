"""The contenders that are Lambda functions, on the emulator of `make run`: ours, and the sample.

The emulator is their broker: it plays SQS, Lambda's pollers and, for ours, DynamoDB and KMS. Each
execution environment is a process of its own, and these are the application.
"""

import json
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.compare.contender import (
    ATTEMPT_S,
    ENDPOINTS,
    FUNCTION_S,
    LEASE_S,
    PARALLEL_BATCHES,
    SECRET,
    Event,
    Place,
)
from bench.compare.processes import Process, kill, of_session
from client.http import Http
from dataconnectors.connectors.connector import Connector
from dataconnectors.events.message import Message
from dataconnectors.store.connector_items import read_connector
from local.emulator import (
    BUILD,
    EMULATOR_PYTHON,
    FUNCTIONS_PYTHON,
    LOCAL_PARAMETERS,
    Emulator,
    deploy,
    invoke,
    package,
)
from local.front import Front
from local.ports import HOST

BATCH = 10
"""Messages of a call and of a batch. SQS takes and Lambda hands over at most that many."""

SAMPLE = Path(__file__).with_name("sample")
SAMPLE_NAME = "sample"
SAMPLE_PACKAGES = ("certifi", "charset_normalizer", "idna", "jwt", "requests", "urllib3")
SITE_PACKAGES = Path(".venv/compare/lib")
SAMPLE_MEMORY = 256
"""MB, as ours. The emulator does not enforce it."""

RECEIVES = 5
"""Before a message goes to the dead-letter queue. AWS: at least five for a queue of Lambda's."""


class _OnEmulator(ABC):
    """What both have in common."""

    lease = float(LEASE_S)

    def __init__(self, place: Place, function: str) -> None:
        """Start nothing yet. `function` is a part of the function's name."""
        self.place = place
        self._function = f"/ministack-lambda-{function}"
        self.emulator = Emulator(
            interpreter=EMULATOR_PYTHON,
            functions_interpreter=FUNCTIONS_PYTHON,
            state_dir=place.directory,
        )
        self._sqs: Any = None

    def start(self) -> None:
        """Start the emulator."""
        self.place.directory.mkdir(parents=True)
        self.emulator.start()
        self._sqs = self.emulator.client("sqs")

    @abstractmethod
    def address(self, event: Event) -> tuple[str, str]:
        """An event's queue and message."""

    def publish(self, events: Sequence[Event]) -> Mapping[str, float]:
        """Put events into their queues, ten at a time, as ingest does."""
        published: dict[str, float] = {}
        queues: dict[str, list[tuple[Event, str]]] = {}
        for event in events:
            queue, text = self.address(event)
            queues.setdefault(queue, []).append((event, text))
        for queue, messages in queues.items():
            for first in range(0, len(messages), BATCH):
                batch = messages[first : first + BATCH]
                published |= {event.id: time.time() for event, _ in batch}
                answer = self._sqs.send_message_batch(
                    QueueUrl=queue,
                    Entries=[
                        {"Id": str(number), "MessageBody": text}
                        for number, (_, text) in enumerate(batch)
                    ],
                )
                if answer.get("Failed"):
                    raise RuntimeError(f"the emulator refused messages: {answer['Failed']}")
        return published

    def _processes(self, is_application: bool) -> list[Process]:
        return [
            process
            for process in of_session(self.emulator.session)
            if (self._function in process.command) == is_application
        ]

    def application(self) -> list[Process]:
        """The function's execution environments."""
        return self._processes(True)

    def broker(self) -> list[Process]:
        """The emulator."""
        return self._processes(False)

    def kill(self) -> None:
        """Kill the environments. The next batch starts new ones, as Lambda does."""
        kill({process.pid for process in self.application()})

    def stop(self) -> None:
        """End the emulator and all that it runs."""
        self.emulator.stop()


class Ours(_OnEmulator):
    """The built sender, with a connector and so a queue for each endpoint."""

    name = "this bundle"

    def __init__(self, place: Place) -> None:
        super().__init__(place, "dataconnectors-local-SenderFunction-")
        self._connectors: list[Connector] = []

    def start(self) -> None:
        """Deploy the artefact, and create the connectors over the API."""
        super().start()
        parameters = LOCAL_PARAMETERS | {
            "TrustedAuthoritiesFile": str(self.place.authority),
            "AttemptTimeout": str(ATTEMPT_S),
            "SenderTimeout": str(FUNCTION_S),
            "MaximumConcurrency": str(PARALLEL_BATCHES // ENDPOINTS),
        }
        outputs = deploy(self.emulator, BUILD, parameters)
        front = Front(HOST, 0, self.emulator.port, outputs["ApiId"])
        front.start()
        try:
            admin = invoke(
                self.emulator,
                outputs["AdminFunctionName"],
                {"displayName": "Compare", "tokenEndpoint": f"http://{HOST}:{front.port}/v2"},
            )
            self._create(f"http://{HOST}:{front.port}/v2/projects/{admin['project']}", admin)
        finally:
            front.stop()
        self._connectors = self._rows(outputs["TableName"])

    def _create(self, project: str, admin: Mapping[str, Any]) -> None:
        account = admin["serviceAccount"]
        api = Http()
        for url in self.place.urls:
            config = {"url": url, "signatureSecret": SECRET, "headers": {}}
            api.expect(
                "POST",
                f"{project}/dataconnectors",
                auth=(account["keyId"], account["secret"]),
                value={"httpConfig": config},
            )

    def _rows(self, table: str) -> list[Connector]:
        """The connectors in the order of their endpoints. They know their queues."""
        items = self.emulator.client("dynamodb").scan(TableName=table)["Items"]
        found = [read_connector(item) for item in items if item["sk"]["S"].startswith("CONNECTOR#")]
        by_url = {connector.url: connector for connector in found}
        return [by_url[url] for url in self.place.urls]

    def address(self, event: Event) -> tuple[str, str]:
        """The connector's queue, and the message that ingest would put there."""
        connector = self._connectors[event.endpoint]
        name = f"projects/{connector.project}/dataconnectors/{connector.id}"
        now = int(time.time() * 1000)
        message = Message(name, connector.epoch, event.id, now, event.body)
        return connector.queue_url, message.to_text()


class Sample(_OnEmulator):
    """A Lambda as public samples show it, with one queue for all endpoints."""

    name = "sample Lambda"

    def __init__(self, place: Place) -> None:
        super().__init__(place, f"{SAMPLE_NAME}-")
        self._queue = ""

    def start(self) -> None:
        """Make the function, its queue, the dead-letter queue and the event source mapping."""
        super().start()
        dead = self._sqs.create_queue(QueueName="sample-dead-letters")["QueueUrl"]
        redrive = {"deadLetterTargetArn": self._arn(dead), "maxReceiveCount": RECEIVES}
        self._queue = self._sqs.create_queue(
            QueueName="sample",
            Attributes={
                "VisibilityTimeout": str(LEASE_S),
                "RedrivePolicy": json.dumps(redrive),
            },
        )["QueueUrl"]
        functions = self.emulator.client("lambda")
        functions.create_function(
            FunctionName=SAMPLE_NAME,
            Runtime="python3.13",
            Role="arn:aws:iam::000000000000:role/sample",
            Handler="app.lambda_handler",
            Code={"ZipFile": self._package()},
            Timeout=FUNCTION_S,
            MemorySize=SAMPLE_MEMORY,
            Environment={
                "Variables": {
                    "SECRET": SECRET,
                    "TIMEOUT": str(ATTEMPT_S),
                    "REQUESTS_CA_BUNDLE": str(self.place.authorities),
                }
            },
        )
        functions.create_event_source_mapping(
            FunctionName=SAMPLE_NAME,
            EventSourceArn=self._arn(self._queue),
            BatchSize=BATCH,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig={"MaximumConcurrency": PARALLEL_BATCHES},
        )

    def _arn(self, queue: str) -> str:
        wanted = self._sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(wanted["Attributes"]["QueueArn"])

    def _package(self) -> bytes:
        """The function with its packages, as `sam build` would put them together."""
        folder = self.place.directory / "package"
        (packages,) = SITE_PACKAGES.glob("python3.*/site-packages")
        for name in SAMPLE_PACKAGES:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(packages / name, folder / name, ignore=ignored)
        shutil.copy(SAMPLE / "app.py", folder)
        return package(folder)

    def address(self, event: Event) -> tuple[str, str]:
        """The one queue, and a message with URL and body."""
        return self._queue, json.dumps({"url": self.place.urls[event.endpoint], "body": event.body})
