"""The calls to SQS and Lambda that create, find, update and delete queues and mappings.

Nothing here decides what to do: `ControlPlane` makes single calls and turns AWS's answers and
errors into values. `steps` decides on the order of the calls.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.kernel.errors import ControlPlaneError
from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.mappings import EventSourceMapping

ABSENT = ""
"""Stands in place of a queue's URL when SQS says that there is no such queue."""

QUEUES_PER_PAGE = 1000
"""AWS: the most. Without MaxResults SQS returns no token for a next page."""

MAPPINGS_PER_PAGE = 100
"""AWS: the most."""

_THROTTLED = frozenset(
    {"RequestThrottled", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)
_QUEUE_NOT_FOUND = "QueueDoesNotExist"
_MAPPING_NOT_FOUND = "ResourceNotFoundException"

_TRY_LATER = frozenset(
    {
        "QueueDeletedRecently",  # SQS refuses the same name for 60 s after DeleteQueue
        "ResourceInUseException",  # the mapping is in a transition
        "ResourceConflictException",  # the mapping exists already, or an operation has not ended
    }
)


class CallError(ControlPlaneError):
    """AWS refused one call, or did not answer it.

    `code` is AWS's error code, or the class of botocore's error. AWS's own text is in `__cause__`
    only, because it names accounts and roles, which callers of the API must not see.
    """

    def __init__(self, operation: str, code: str) -> None:
        super().__init__(f"{operation}: {code}")
        self.code = code

    @property
    def throttled(self) -> bool:
        """Whether the account makes too many calls. The reconciler then ends its run."""
        return self.code in _THROTTLED


class NotYetError(ControlPlaneError):
    """Something else has to finish first, usually at AWS. The text says what; try again later."""


class ControlPlane:
    """Single calls to SQS and Lambda. Each may raise `CallError`.

    A method raises `NotYetError` where its docstring says so. `before_call` runs before each call;
    the reconciler passes its `RateLimit`.
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
            if error.code == _QUEUE_NOT_FOUND:
                return ABSENT
            raise

    def create_queue(self, queue_id: str, connector: str) -> str:
        """Create the queue and return its URL.

        A queue of this name that exists already is updated to the blueprint instead. Raises
        `NotYetError` within 60 s after a queue of this name was deleted.
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
                return self._update_existing_queue(queue_id)
            raise
        return str(answer["QueueUrl"])

    def update_queue(self, url: str) -> None:
        """Give a queue the blueprint's attributes and the deployer's tags.

        Tags that the deployer has taken back stay: nobody knows any more whose they were.
        """
        self._call(
            self._sqs.set_queue_attributes,
            QueueUrl=url,
            Attributes=self._blueprint.queue_attributes,
        )
        if self._blueprint.deployers_tags:
            self._call(self._sqs.tag_queue, QueueUrl=url, Tags=self._blueprint.deployers_tags)

    def is_untouched(self, url: str) -> bool:
        """Whether nobody has changed a queue's attributes by hand. True when it is gone."""
        expected = self._blueprint.untouched_attributes
        try:
            answer = self._call(
                self._sqs.get_queue_attributes, QueueUrl=url, AttributeNames=list(expected)
            )
        except CallError as error:
            if error.code == _QUEUE_NOT_FOUND:
                return True
            raise
        found = answer["Attributes"]
        return all(found.get(name, "") == value for name, value in expected.items())

    def undo_changes(self, url: str) -> None:
        """Give a queue the attributes that it has when nobody changes them by hand."""
        self._call(
            self._sqs.set_queue_attributes,
            QueueUrl=url,
            Attributes=self._blueprint.untouched_attributes,
        )

    def delete_queue(self, url: str) -> None:
        """Delete a queue and all its messages. A queue that is gone already is no error."""
        try:
            self._call(self._sqs.delete_queue, QueueUrl=url)
        except CallError as error:
            if error.code != _QUEUE_NOT_FOUND:
                raise

    def queue_created_at(self, url: str) -> float | None:
        """When the queue was created, in epoch seconds, or None when it is gone."""
        try:
            answer = self._call(
                self._sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["CreatedTimestamp"]
            )
        except CallError as error:
            if error.code == _QUEUE_NOT_FOUND:
                return None
            raise
        return float(answer["Attributes"]["CreatedTimestamp"])

    def queue_tags(self, url: str) -> dict[str, str]:
        """The queue's tags; an empty dict when it is gone."""
        try:
            return dict(self._call(self._sqs.list_queue_tags, QueueUrl=url).get("Tags") or {})
        except CallError as error:
            if error.code == _QUEUE_NOT_FOUND:
                return {}
            raise

    def queues(self) -> Iterator[tuple[str, str]]:
        """Id and URL of each queue of this stack. SQS's listing lags by seconds."""
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
                    yield queue_id, url
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    # --- mappings ----------------------------------------------------------------------------

    def mappings_on(self, queue_id: str) -> list[EventSourceMapping]:
        """All mappings on a queue, also those that we did not make. The listing lags by seconds."""
        return list(self._list_mappings(EventSourceArn=self._blueprint.queue_arn(queue_id)))

    def sender_mappings(self) -> Iterator[EventSourceMapping]:
        """All mappings that invoke the sender's alias. Lambda's listing lags by seconds."""
        return self._list_mappings(FunctionName=self._blueprint.settings.sender_arn)

    def find_mapping(self, mapping_id: str) -> EventSourceMapping | None:
        """The mapping with this id, or None when it is gone."""
        try:
            answer = self._call(self._lambda.get_event_source_mapping, UUID=mapping_id)
        except CallError as error:
            if error.code == _MAPPING_NOT_FOUND:
                return None
            raise
        return EventSourceMapping.of(answer)

    def mapping_tags(self, mapping: EventSourceMapping) -> dict[str, str]:
        """The mapping's tags; an empty dict when it is gone."""
        try:
            answer = self._call(self._lambda.list_tags, Resource=mapping.arn)
        except CallError as error:
            if error.code == _MAPPING_NOT_FOUND:
                return {}
            raise
        return dict(answer.get("Tags") or {})

    def create_mapping(self, queue_id: str, connector: str) -> EventSourceMapping | None:
        """Create the mapping and return it; Lambda enables it some seconds later.

        None means a conflict: the queue has a mapping already, or one that is changing.
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
        """Give a mapping the blueprint's settings. `NotYetError` while it is in a transition."""
        # Lambda deletes the messages that a filter does not let through, so no filter may stay.
        no_filter: dict[str, Any] = {"FilterCriteria": {}} if mapping.has_filter else {}
        self._call(
            self._lambda.update_event_source_mapping,
            UUID=mapping.id,
            **self._blueprint.mapping_settings,
            **no_filter,
        )

    def tag_mapping(self, mapping: EventSourceMapping) -> None:
        """Give a mapping the deployer's tags."""
        self._call(
            self._lambda.tag_resource, Resource=mapping.arn, Tags=self._blueprint.deployers_tags
        )

    def delete_mapping(self, mapping: EventSourceMapping) -> None:
        """Begin to delete a mapping, which takes seconds. `NotYetError` while in a transition.

        A mapping that is gone already is no error.
        """
        try:
            self._call(self._lambda.delete_event_source_mapping, UUID=mapping.id)
        except CallError as error:
            if error.code != _MAPPING_NOT_FOUND:
                raise

    # --- requests ----------------------------------------------------------------------------

    def _update_existing_queue(self, queue_id: str) -> str:
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
            code = _error_code(error)
            if code in _TRY_LATER:
                raise NotYetError(f"{method.__name__}: {code}") from error
            raise CallError(method.__name__, code) from error
        except BotoCoreError as error:
            raise CallError(method.__name__, type(error).__name__) from error


def _error_code(error: ClientError) -> str:
    """The error's name in botocore's model. In `Code` SQS still sends its older protocol's name."""
    details: Mapping[str, Any] = error.response["Error"]
    return str(details.get("QueryErrorCode") or details["Code"])
