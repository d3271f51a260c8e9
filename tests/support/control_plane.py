"""A fake of AWS's control plane for SQS queues and event source mappings, in virtual time.

It does what emulators leave out and what provisioning has to cope with: transitions that take
seconds, refusals meanwhile, names that stay blocked, listings that lag, throttling, and a process
that dies before or after any call. It checks each call's parameters against botocore's models, so a
misspelt one fails. `World.violations` has what must never happen.
"""

# The methods of the clients name their parameters as AWS does.

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session
import botocore.validate
from botocore.exceptions import ClientError
from botocore.model import OperationModel

from dataconnectors.aws.settings import QueueSettings
from tests.support.virtual_time import EPOCH, VirtualTime

REGION, ACCOUNT = "eu-west-1", "111122223333"
SENDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:dc-sender:live"
SETTINGS = QueueSettings(
    stack="dc", sender_arn=SENDER, visibility_timeout=180, maximum_concurrency=50
)

_LEGACY_CODES = {
    "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDeletedRecently": "AWS.SimpleQueueService.QueueDeletedRecently",
    "QueueNameExists": "QueueAlreadyExists",
}
"""The codes that SQS sends in `Code`. The name in botocore's model is in `QueryErrorCode`."""


class KilledError(BaseException):
    """The process was killed. Not an `Exception`, so that none of our code catches it."""


@dataclass
class Queue:
    """A queue. `deleted_at` is when it was deleted."""

    name: str
    attributes: dict[str, str]
    tags: dict[str, str]
    created_at: float
    deleted_at: float | None = None

    @property
    def url(self) -> str:
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.name}"

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}"


@dataclass
class Mapping:
    """A mapping, in `transition_state` until `transition_ends_at`, then in `state` (None: gone)."""

    id: str
    settings: dict[str, Any]
    tags: dict[str, str]
    created_at: float
    transition_state: str
    transition_ends_at: float
    state: str | None

    def state_at(self, moment: float) -> str | None:
        return self.transition_state if moment < self.transition_ends_at else self.state


@dataclass
class Faults:
    """Faults by the number of the call, counted from 0 over SQS, Lambda and the store."""

    errors: dict[int, tuple[str, int]] = field(default_factory=dict)
    kill_before: int | None = None
    kill_after: int | None = None
    meanwhile: dict[int, Callable[[], object]] = field(default_factory=dict)
    """Actions of others just before a call. An action may run another process completely."""


class World:
    """What outlives a process: time, the faults to come, and the calls made."""

    def __init__(
        self,
        *,
        transition: float = 4.0,
        listing_lag: float = 3.0,
        queue_usable_after: float = 1.0,
        latency: float = 0.05,
    ) -> None:
        self.time = VirtualTime()
        self.faults = Faults()
        self.transition = transition
        self.listing_lag = listing_lag
        self.queue_usable_after = queue_usable_after
        self.latency = latency
        self.calls: list[tuple[str, float]] = []
        self.count = 0
        self.violations: list[str] = []

    def call(self, name: str, act: Callable[[], Any], *, control_plane: bool = True) -> Any:
        """Make a call. It takes time and may fail, and the process may die before or after it."""
        number, self.count = self.count, self.count + 1
        if control_plane:
            self.calls.append((name, self.time.clock()))
        if self.faults.kill_before == number:
            raise KilledError(f"before call {number}, {name}")
        self.faults.meanwhile.pop(number, lambda: None)()
        self.time.advance(self.latency)
        try:
            if number in self.faults.errors and control_plane:
                code, status = self.faults.errors[number]
                raise refusal(code, name, status)
            return act()
        finally:
            if self.faults.kill_after == number:
                raise KilledError(f"after call {number}, {name}")


def refusal(code: str, operation: str, status: int = 400) -> ClientError:
    """An error as botocore raises it."""
    details: dict[str, str] = {"Code": code, "Message": "account 111122223333 says no"}
    if code in _LEGACY_CODES:
        details = details | {"Code": _LEGACY_CODES[code], "QueryErrorCode": code}
    response: Any = {"Error": details, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)


@cache
def _operation(service: str, method: str) -> OperationModel:
    model = botocore.session.get_session().get_service_model(service)
    name = "".join(part.capitalize() for part in method.split("_"))
    return model.operation_model(name)


class _Client:
    """The base of both clients. It checks parameters as botocore does, then runs the method."""

    service: str

    def __init__(self, plane: "FakeControlPlane") -> None:
        self._plane = plane

    def __getattr__(self, method: str) -> Callable[..., Any]:
        implementation = getattr(type(self), f"do_{method}")

        def call(**parameters: Any) -> Any:
            shape: Any = _operation(self.service, method).input_shape
            report = botocore.validate.ParamValidator().validate(parameters, shape)
            assert not report.has_errors(), f"{method}: {report.generate_report()}"
            return self._plane.world.call(
                method, lambda: implementation(self, self._plane, **parameters)
            )

        call.__name__ = method
        return call


class FakeControlPlane:
    """One account's queues and mappings."""

    def __init__(self, world: World, functions: tuple[str, ...] = (SENDER,)) -> None:
        self.world = world
        self.functions = functions
        self.function_timeout = 30
        self.queues: dict[str, Queue] = {}
        self.deleted_queues: list[Queue] = []
        self.mappings: dict[str, Mapping] = {}
        self.sqs = FakeSqs(self)
        self.lambda_client = FakeLambda(self)
        self.on_delete_queue: Callable[[Queue], None] = lambda _: None

    # --- what a test sees and does -----------------------------------------------------------

    @property
    def clock(self) -> float:
        return self.world.time.clock()

    def existing_mappings(self) -> list[Mapping]:
        """Mappings that are not gone."""
        return [
            mapping
            for mapping in self.mappings.values()
            if mapping.state_at(self.clock) is not None
        ]

    def add_queue(self, name: str, tags: dict[str, str], attributes: dict[str, str]) -> Queue:
        """Add a queue that was created by others."""
        queue = self.queues[name] = Queue(name, dict(attributes), dict(tags), self.clock)
        return queue

    def lose_queue(self, name: str) -> None:
        """Delete a queue, as somebody may do by hand."""
        queue = self.queues.pop(name)
        queue.deleted_at = self.clock
        self.deleted_queues.append(queue)

    def add_mapping(
        self, queue_arn: str, function: str, tags: dict[str, str] | None = None, **settings: Any
    ) -> Mapping:
        """Add a mapping that is enabled."""
        mapping = self.new_mapping(
            {"EventSourceArn": queue_arn, "FunctionName": function, "BatchSize": 10} | settings,
            tags or {},
        )
        mapping.transition_ends_at = self.clock
        return mapping

    # --- what the clients use ----------------------------------------------------------------

    def queue_by_url(self, url: str) -> Queue:
        queue = self.queues.get(url.rpartition("/")[2])
        if queue is None:
            raise refusal("QueueDoesNotExist", "queue")
        return queue

    def mapping_by_id(self, mapping_id: str) -> Mapping:
        mapping = self.mappings.get(mapping_id)
        if mapping is None or mapping.state_at(self.clock) is None:
            raise refusal("ResourceNotFoundException", "mapping", 404)
        return mapping

    def mapping_not_in_transition(self, mapping_id: str) -> Mapping:
        mapping = self.mapping_by_id(mapping_id)
        if self.clock < mapping.transition_ends_at:
            raise refusal("ResourceInUseException", "mapping")
        return mapping

    def begin_transition(self, mapping: Mapping, transition_state: str, state: str | None) -> None:
        mapping.transition_state, mapping.state = transition_state, state
        mapping.transition_ends_at = self.clock + self.world.transition

    def new_mapping(self, settings: dict[str, Any], tags: dict[str, str]) -> Mapping:
        """A mapping that is being created."""
        number = len(self.mappings) + 1
        # Scrambled, so that the order of ids is not the order of creation.
        mapping = Mapping(
            id=f"{number * 7919 % 65536:08x}-0000-4000-8000-{number:012x}",
            settings=settings,
            tags=tags,
            created_at=self.clock,
            transition_state="Creating",
            transition_ends_at=self.clock + self.world.transition,
            state="Enabled",
        )
        self.mappings[mapping.id] = mapping
        return mapping

    def describe(self, mapping: Mapping) -> dict[str, Any]:
        settings = {name: value for name, value in mapping.settings.items() if name != "Enabled"}
        return {
            **settings,
            "UUID": mapping.id,
            "FunctionArn": settings.pop("FunctionName"),
            "State": mapping.state_at(self.clock),
            "EventSourceMappingArn": (
                f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:{mapping.id}"
            ),
        }


SQS_ATTRIBUTES = {"DelaySeconds": "0"}
"""Attributes that a queue has without having been given them."""


class FakeSqs(_Client):
    """The queue calls of SQS."""

    service = "sqs"

    def do_create_queue(
        self,
        plane: FakeControlPlane,
        *,
        QueueName: str,
        Attributes: dict[str, str],
        tags: dict[str, str],
    ) -> Any:
        queue = plane.queues.get(QueueName)
        if queue is not None:
            if queue.attributes != Attributes:
                raise refusal("QueueNameExists", "CreateQueue")
            return {"QueueUrl": queue.url}
        for old in plane.deleted_queues:
            if old.name == QueueName and plane.clock - (old.deleted_at or 0) < 60:
                raise refusal("QueueDeletedRecently", "CreateQueue")
        return {"QueueUrl": plane.add_queue(QueueName, tags, Attributes).url}

    def do_get_queue_url(self, plane: FakeControlPlane, *, QueueName: str) -> Any:
        return {"QueueUrl": plane.queue_by_url(QueueName).url}

    def do_set_queue_attributes(
        self, plane: FakeControlPlane, *, QueueUrl: str, Attributes: dict[str, str]
    ) -> None:
        queue = plane.queue_by_url(QueueUrl)
        changed = queue.attributes | Attributes
        # SQS removes a policy that is set to an empty text.
        queue.attributes = {name: value for name, value in changed.items() if value}

    def do_get_queue_attributes(
        self, plane: FakeControlPlane, *, QueueUrl: str, AttributeNames: list[str]
    ) -> Any:
        queue = plane.queue_by_url(QueueUrl)
        created = str(int(EPOCH + queue.created_at))
        everything = SQS_ATTRIBUTES | queue.attributes
        everything |= {"CreatedTimestamp": created, "QueueArn": queue.arn}
        # SQS leaves out what a queue has not got.
        shown = {name: everything[name] for name in AttributeNames if name in everything}
        return {"Attributes": shown}

    def do_tag_queue(self, plane: FakeControlPlane, *, QueueUrl: str, Tags: dict[str, str]) -> None:
        plane.queue_by_url(QueueUrl).tags |= Tags

    def do_list_queue_tags(self, plane: FakeControlPlane, *, QueueUrl: str) -> Any:
        tags = plane.queue_by_url(QueueUrl).tags
        return {"Tags": tags} if tags else {}

    def do_delete_queue(self, plane: FakeControlPlane, *, QueueUrl: str) -> None:
        queue = plane.queue_by_url(QueueUrl)
        for mapping in plane.existing_mappings():
            if mapping.settings["EventSourceArn"] == queue.arn:
                plane.world.violations.append(f"{queue.name} deleted before its mapping")
        plane.on_delete_queue(queue)
        plane.lose_queue(queue.name)

    def do_list_queues(
        self,
        plane: FakeControlPlane,
        *,
        QueueNamePrefix: str,
        MaxResults: int,
        NextToken: str = "0",
    ) -> Any:
        horizon = plane.clock - plane.world.listing_lag
        listed = sorted(
            [queue.url for queue in plane.queues.values() if queue.created_at <= horizon]
            + [queue.url for queue in plane.deleted_queues if (queue.deleted_at or 0) > horizon]
        )
        named = [url for url in listed if url.rpartition("/")[2].startswith(QueueNamePrefix)]
        start = int(NextToken)
        page: dict[str, Any] = {"QueueUrls": named[start : start + MaxResults]}
        if len(named) > start + MaxResults:
            page["NextToken"] = str(start + MaxResults)
        # SQS leaves the list out if there is no queue.
        return page if page["QueueUrls"] else {}


class FakeLambda(_Client):
    """The mapping calls of Lambda."""

    service = "lambda"

    def do_create_event_source_mapping(
        self, plane: FakeControlPlane, *, Tags: dict[str, str], **settings: Any
    ) -> Any:
        operation = "CreateEventSourceMapping"
        name = settings["EventSourceArn"].rpartition(":")[2]
        queue = plane.queues.get(name)
        if queue is None or plane.clock - queue.created_at < plane.world.queue_usable_after:
            raise refusal("InvalidParameterValueException", operation)
        self._check(plane, queue, settings, operation)
        for mapping in plane.existing_mappings():
            if all(
                mapping.settings[key] == settings[key] for key in ("EventSourceArn", "FunctionName")
            ):
                raise refusal("ResourceConflictException", operation, 409)
        return plane.describe(plane.new_mapping(settings, Tags))

    def do_get_event_source_mapping(self, plane: FakeControlPlane, *, UUID: str) -> Any:
        return plane.describe(plane.mapping_by_id(UUID))

    def do_list_event_source_mappings(
        self,
        plane: FakeControlPlane,
        *,
        MaxItems: int,
        Marker: str = "0",
        EventSourceArn: str = "",
        FunctionName: str = "",
    ) -> Any:
        horizon = plane.clock - plane.world.listing_lag
        found = [
            plane.describe(mapping)
            for mapping in plane.existing_mappings()
            if mapping.created_at <= horizon
            and EventSourceArn in ("", mapping.settings["EventSourceArn"])
            and FunctionName in ("", mapping.settings["FunctionName"])
        ]
        start = int(Marker)
        page: dict[str, Any] = {"EventSourceMappings": found[start : start + MaxItems]}
        if len(found) > start + MaxItems:
            page["NextMarker"] = str(start + MaxItems)
        return page

    def do_update_event_source_mapping(
        self, plane: FakeControlPlane, *, UUID: str, Enabled: bool, **settings: Any
    ) -> Any:
        mapping = plane.mapping_not_in_transition(UUID)
        queue = plane.queues.get(mapping.settings["EventSourceArn"].rpartition(":")[2])
        self._check(plane, queue, settings, "UpdateEventSourceMapping")
        mapping.settings = mapping.settings | settings
        plane.begin_transition(mapping, "Updating", "Enabled" if Enabled else "Disabled")
        return plane.describe(mapping)

    def do_delete_event_source_mapping(self, plane: FakeControlPlane, *, UUID: str) -> Any:
        mapping = plane.mapping_not_in_transition(UUID)
        plane.begin_transition(mapping, "Deleting", None)
        return plane.describe(mapping)

    def do_tag_resource(
        self, plane: FakeControlPlane, *, Resource: str, Tags: dict[str, str]
    ) -> None:
        plane.mapping_by_id(Resource.rpartition(":")[2]).tags |= Tags

    def do_list_tags(self, plane: FakeControlPlane, *, Resource: str) -> Any:
        return {"Tags": plane.mapping_by_id(Resource.rpartition(":")[2]).tags}

    def _check(
        self, plane: FakeControlPlane, queue: Queue | None, settings: dict[str, Any], operation: str
    ) -> None:
        if settings["FunctionName"] not in plane.functions:
            raise refusal("ResourceNotFoundException", operation, 404)
        if queue is None or int(queue.attributes["VisibilityTimeout"]) < plane.function_timeout:
            raise refusal("InvalidParameterValueException", operation)
