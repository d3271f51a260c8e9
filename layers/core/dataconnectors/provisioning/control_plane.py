"""One connector's queue and event source mapping, in the words of SQS and Lambda.

Nothing here decides: `Blueprint` says what each should look like, `ControlPlane` makes single
calls and turns AWS's answers and errors into values. See `provisioning` for the order of calls.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws.settings import QueueSettings
from dataconnectors.kernel import ids
from dataconnectors.kernel.errors import ControlPlaneError

RETENTION = 43_200
"""Seconds that SQS keeps a message, counted from when it was accepted: the contract's 12 hours."""

BATCH_SIZE = 10
"""AWS: the most without a batching window, which would delay every event by up to its length."""

RESPONSE_TYPES = ("ReportBatchItemFailures",)
"""Without it Lambda ignores what the sender reports, and deletes the events that failed."""

STACK_TAG = "dataconnectors:stack"
CONNECTOR_TAG = "dataconnectors:connector"

ABSENT = ""
"""In place of a queue's URL: SQS says that there is no such queue."""

QUEUES_PER_PAGE = 1000
"""AWS: the most; without MaxResults SQS gives no token for a next page."""

MAPPINGS_PER_PAGE = 100
"""AWS: the most."""

_THROTTLING = frozenset(
    {"RequestThrottled", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)
_NO_QUEUE = "QueueDoesNotExist"
_NO_MAPPING = "ResourceNotFoundException"

_MEANS_LATER = frozenset(
    {
        "QueueDeletedRecently",  # the same name is refused for 60 s after DeleteQueue
        "ResourceInUseException",  # the mapping is in a transition
        "ResourceConflictException",  # there is one already, or an operation has not ended
    }
)


class CallError(ControlPlaneError):
    """AWS refused one call, or did not answer it. `code` is AWS's, or the name of the failure.

    AWS's own text is in `__cause__` only: it names accounts and roles, which callers need not see.
    """

    def __init__(self, operation: str, code: str) -> None:
        super().__init__(f"{operation}: {code}")
        self.code = code

    @property
    def throttled(self) -> bool:
        """Whether the account makes too many calls: whoever can should stop calling."""
        return self.code in _THROTTLING


class NotYetError(ControlPlaneError):
    """AWS is still at work on something that has to be finished first. The text says on what."""


@dataclass(frozen=True, slots=True)
class EventSourceMapping:
    """A mapping as Lambda describes it. `window` in seconds; `filtered` when it has a filter."""

    id: str
    arn: str
    queue_arn: str
    function_arn: str
    state: str
    batch_size: int
    window: int
    maximum_concurrency: int | None
    response_types: tuple[str, ...]
    filtered: bool

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Read an EventSourceMappingConfiguration."""
        return cls(
            id=answer["UUID"],
            arn=answer.get("EventSourceMappingArn", ""),
            queue_arn=answer["EventSourceArn"],
            function_arn=answer["FunctionArn"],
            state=answer["State"],
            batch_size=answer["BatchSize"],
            window=answer.get("MaximumBatchingWindowInSeconds") or 0,
            maximum_concurrency=(answer.get("ScalingConfig") or {}).get("MaximumConcurrency"),
            response_types=tuple(answer.get("FunctionResponseTypes") or ()),
            filtered=bool((answer.get("FilterCriteria") or {}).get("Filters")),
        )

    @property
    def leaving(self) -> bool:
        """Deleted, but still there for some seconds: it can neither be used nor replaced."""
        return self.state == "Deleting"

    @property
    def in_transition(self) -> bool:
        """Lambda refuses to update or delete a mapping in these states."""
        return self.state in ("Creating", "Enabling", "Disabling", "Updating", "Deleting")


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What every queue and mapping of one stack should look like."""

    settings: QueueSettings

    @property
    def queue_prefix(self) -> str:
        """What the names begin with. Another stack's may too: `queue_id` tells them apart."""
        return f"{self.settings.stack}-c-"

    def queue_name(self, queue_id: str) -> str:
        """The name of a connector's queue."""
        return self.queue_prefix + queue_id

    def queue_id(self, queue_name: str) -> str | None:
        """The id in a queue's name; None when this stack names no queue so.

        An id holds no hyphen, so the queues of a stack `dc-c` never look like those of `dc`.
        """
        found = re.fullmatch(
            rf"{re.escape(self.queue_prefix)}([0-9a-v]{{{ids.LENGTH}}})", queue_name, re.ASCII
        )
        return found[1] if found else None

    def queue_arn(self, queue_id: str) -> str:
        """The queue's ARN, in the sender's partition, Region and account."""
        _, partition, _, region, account, *_ = self.settings.sender_arn.split(":")
        return f"arn:{partition}:sqs:{region}:{account}:{self.queue_name(queue_id)}"

    @property
    def queue_attributes(self) -> dict[str, str]:
        """Attributes for CreateQueue and SetQueueAttributes."""
        return {
            "MessageRetentionPeriod": str(RETENTION),
            "SqsManagedSseEnabled": "true",
            "VisibilityTimeout": str(self.settings.visibility_timeout),
        }

    @property
    def mapping_settings(self) -> dict[str, Any]:
        """Parameters that CreateEventSourceMapping and UpdateEventSourceMapping share."""
        return {
            "FunctionName": self.settings.sender_arn,
            "Enabled": True,
            "BatchSize": BATCH_SIZE,
            "MaximumBatchingWindowInSeconds": 0,
            "FunctionResponseTypes": list(RESPONSE_TYPES),
            "ScalingConfig": {"MaximumConcurrency": self.settings.maximum_concurrency},
        }

    @property
    def fingerprint(self) -> str:
        """Changes when a parameter does; a row keeps the one its queue and mapping were made by."""
        everything = json.dumps([self.queue_attributes, self.mapping_settings], sort_keys=True)
        return hashlib.sha256(everything.encode()).hexdigest()[:16]

    def tags(self, connector: str) -> dict[str, str]:
        """Tags of the queue and of the mapping of the connector with this resource name."""
        return {STACK_TAG: self.settings.stack, CONNECTOR_TAG: connector}

    def feeds_sender(self, mapping: EventSourceMapping) -> bool:
        """Whether a mapping calls our sender, through whatever alias or version."""
        # The alias is the last part of its ARN: arn:…:function:{name}:{alias}.
        function = self.settings.sender_arn.rpartition(":")[0]
        return mapping.function_arn == function or mapping.function_arn.startswith(f"{function}:")

    def fits(self, mapping: EventSourceMapping) -> bool:
        """Whether a mapping is as it should be, or will be once its transition is over."""
        return (
            mapping.function_arn == self.settings.sender_arn
            and mapping.state not in ("Disabling", "Disabled", "Deleting")
            and mapping.batch_size == BATCH_SIZE
            and mapping.window == 0
            and mapping.maximum_concurrency == self.settings.maximum_concurrency
            and mapping.response_types == RESPONSE_TYPES
            and not mapping.filtered
        )


class ControlPlane:
    """Single calls to SQS and Lambda. Each raises `CallError`, or `NotYetError` where it says so.

    `before_call` runs before each call: the reconciler's `pacing.RateLimit`.
    """

    def __init__(
        self,
        sqs: Any,
        lambda_client: Any,
        blueprint: Blueprint,
        before_call: Callable[[], None] = lambda: None,
    ) -> None:
        self._sqs = sqs
        self._lambda = lambda_client
        self._blueprint = blueprint
        self._before_call = before_call

    # --- queues ------------------------------------------------------------------------------

    def find_queue(self, queue_id: str) -> str:
        """The queue's URL, or `ABSENT`."""
        try:
            name = self._blueprint.queue_name(queue_id)
            return str(self._call(self._sqs.get_queue_url, QueueName=name)["QueueUrl"])
        except CallError as error:
            if error.code == _NO_QUEUE:
                return ABSENT
            raise

    def create_queue(self, queue_id: str, connector: str) -> str:
        """The URL of the queue, which was made, found, or altered to the blueprint.

        `NotYetError` within 60 s of the deletion of a queue of this name.
        """
        try:
            answer = self._call(
                self._sqs.create_queue,
                QueueName=self._blueprint.queue_name(queue_id),
                Attributes=self._blueprint.queue_attributes,
                tags=self._blueprint.tags(connector),
            )
        except CallError as error:
            if error.code == "QueueNameExists":  # with other attributes
                return self._update_existing(queue_id)
            raise
        return str(answer["QueueUrl"])

    def update_queue(self, url: str) -> None:
        """Give a queue the blueprint's attributes."""
        self._call(
            self._sqs.set_queue_attributes,
            QueueUrl=url,
            Attributes=self._blueprint.queue_attributes,
        )

    def delete_queue(self, url: str) -> None:
        """Delete a queue with all that is in it; nothing happens when it is gone already."""
        try:
            self._call(self._sqs.delete_queue, QueueUrl=url)
        except CallError as error:
            if error.code != _NO_QUEUE:
                raise

    def queue_created_at(self, url: str) -> float | None:
        """The epoch second of a queue's making; None when it is gone."""
        try:
            answer = self._call(
                self._sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["CreatedTimestamp"]
            )
        except CallError as error:
            if error.code == _NO_QUEUE:
                return None
            raise
        return float(answer["Attributes"]["CreatedTimestamp"])

    def queue_tags(self, url: str) -> dict[str, str]:
        """A queue's tags; none when it is gone."""
        try:
            return dict(self._call(self._sqs.list_queue_tags, QueueUrl=url).get("Tags") or {})
        except CallError as error:
            if error.code == _NO_QUEUE:
                return {}
            raise

    def queue_ids(self) -> Iterator[str]:
        """Ids of all queues that are named as this stack names them; seconds behind."""
        token: dict[str, str] = {}
        while True:
            page = self._call(
                self._sqs.list_queues,
                QueueNamePrefix=self._blueprint.queue_prefix,
                MaxResults=QUEUES_PER_PAGE,
                **token,
            )
            for url in page.get("QueueUrls") or ():
                queue_id = self._blueprint.queue_id(url.rpartition("/")[2])
                if queue_id is not None:
                    yield queue_id
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    # --- mappings ----------------------------------------------------------------------------

    def mappings_on(self, queue_id: str) -> list[EventSourceMapping]:
        """All mappings on a queue, other people's included; seconds behind."""
        return list(self._list_mappings(EventSourceArn=self._blueprint.queue_arn(queue_id)))

    def sender_mappings(self) -> Iterator[EventSourceMapping]:
        """All mappings on the sender's alias; seconds behind."""
        return self._list_mappings(FunctionName=self._blueprint.settings.sender_arn)

    def find_mapping(self, mapping_id: str) -> EventSourceMapping | None:
        """One mapping, None when it is gone."""
        try:
            answer = self._call(self._lambda.get_event_source_mapping, UUID=mapping_id)
        except CallError as error:
            if error.code == _NO_MAPPING:
                return None
            raise
        return EventSourceMapping.of(answer)

    def mapping_tags(self, mapping: EventSourceMapping) -> dict[str, str]:
        """A mapping's tags; none when it is gone."""
        try:
            answer = self._call(self._lambda.list_tags, Resource=mapping.arn)
        except CallError as error:
            if error.code == _NO_MAPPING:
                return {}
            raise
        return dict(answer.get("Tags") or {})

    def create_mapping(self, queue_id: str, connector: str) -> EventSourceMapping | None:
        """The new mapping, which Lambda enables in its own time.

        None on a conflict: a mapping of this queue is there already, or is changing.
        """
        try:
            answer = self._call(
                self._lambda.create_event_source_mapping,
                EventSourceArn=self._blueprint.queue_arn(queue_id),
                Tags=self._blueprint.tags(connector),
                **self._blueprint.mapping_settings,
            )
        except NotYetError:
            return None
        return EventSourceMapping.of(answer)

    def update_mapping(self, mapping: EventSourceMapping) -> None:
        """Give a mapping the blueprint's settings; `NotYetError` while it is in a transition."""
        # Lambda deletes the messages that a filter does not let through.
        unfiltered: dict[str, Any] = {"FilterCriteria": {}} if mapping.filtered else {}
        self._call(
            self._lambda.update_event_source_mapping,
            UUID=mapping.id,
            **self._blueprint.mapping_settings,
            **unfiltered,
        )

    def delete_mapping(self, mapping: EventSourceMapping) -> None:
        """Begin to delete a mapping, which takes seconds; `NotYetError` while in a transition."""
        try:
            self._call(self._lambda.delete_event_source_mapping, UUID=mapping.id)
        except CallError as error:
            if error.code != _NO_MAPPING:
                raise

    # --- requests ----------------------------------------------------------------------------

    def _update_existing(self, queue_id: str) -> str:
        url = self.find_queue(queue_id)
        if url == ABSENT:
            raise NotYetError("SQS has a queue of this name, but does not show it yet")
        self.update_queue(url)
        return url

    def _list_mappings(self, **criteria: str) -> Iterator[EventSourceMapping]:
        marker: dict[str, str] = {}
        while True:
            page = self._call(
                self._lambda.list_event_source_mappings,
                MaxItems=MAPPINGS_PER_PAGE,
                **criteria,
                **marker,
            )
            yield from map(EventSourceMapping.of, page.get("EventSourceMappings") or ())
            if not page.get("NextMarker"):
                return
            marker = {"Marker": page["NextMarker"]}

    def _call(self, method: Callable[..., Any], **parameters: Any) -> Any:
        self._before_call()
        try:
            return method(**parameters)
        except ClientError as error:
            code = _code(error)
            if code in _MEANS_LATER:
                raise NotYetError(f"{method.__name__}: {code}") from error
            raise CallError(method.__name__, code) from error
        except BotoCoreError as error:
            raise CallError(method.__name__, type(error).__name__) from error


def _code(error: ClientError) -> str:
    """The modelled name of an error: in `Code`, SQS still sends the one of its older protocol."""
    details: Mapping[str, Any] = error.response["Error"]
    return str(details.get("QueryErrorCode") or details["Code"])
