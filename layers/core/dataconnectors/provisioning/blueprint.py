"""What every queue and every event source mapping of a stack should look like."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from dataconnectors.aws.settings import QueueSettings
from dataconnectors.expiry.expired_event import RETENTION_SECONDS
from dataconnectors.kernel import ids
from dataconnectors.provisioning.mappings import EventSourceMapping

BATCH_SIZE = 10
"""Messages of a batch. AWS: the most that is possible without a batching window. A window would
delay every event by up to its length."""

RESPONSE_TYPES = ("ReportBatchItemFailures",)
"""Makes Lambda read which messages the sender reports as failed. Without it Lambda would ignore the
report and delete the failed messages too."""

STACK_TAG = "dataconnectors:stack"
"""The tag that names the stack which a queue or a mapping belongs to."""

CONNECTOR_TAG = "dataconnectors:connector"
"""The tag that names the connector which a queue or a mapping belongs to."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The names, settings and tags that one stack gives to its queues and mappings."""

    settings: QueueSettings

    @property
    def queue_prefix(self) -> str:
        """The beginning of each queue's name.

        Names of another stack's queues may begin with it too; `queue_id` tells them apart.
        """
        return f"{self.settings.stack}-c-"

    def queue_name(self, queue_id: str) -> str:
        """The name of the queue with this id."""
        return self.queue_prefix + queue_id

    def queue_id(self, queue_name: str) -> str | None:
        """The id in a queue's name, or None when this stack gives no queue such a name.

        An id contains no hyphen, so no queue of a stack `dc-c` looks like one of the stack `dc`.
        """
        match = re.fullmatch(
            rf"{re.escape(self.queue_prefix)}([0-9a-v]{{{ids.LENGTH}}})", queue_name, re.ASCII
        )
        return match[1] if match else None

    def queue_arn(self, queue_id: str) -> str:
        """The queue's ARN, in the sender's partition, Region and account."""
        _, partition, _, region, account, *_ = self.settings.sender_arn.split(":")
        return f"arn:{partition}:sqs:{region}:{account}:{self.queue_name(queue_id)}"

    @property
    def queue_attributes(self) -> dict[str, str]:
        """The attributes for CreateQueue and SetQueueAttributes."""
        return {
            "MessageRetentionPeriod": str(RETENTION_SECONDS),
            "SqsManagedSseEnabled": "true",
            "VisibilityTimeout": str(self.settings.visibility_timeout),
        }

    @property
    def untouched_attributes(self) -> dict[str, str]:
        """The attributes of a queue that nobody has changed by hand, "" for one that it lacks.

        Besides ours these are SQS's own values of two that would delay events, or take those of a
        failing endpoint away.
        """
        return self.queue_attributes | {"DelaySeconds": "0", "RedrivePolicy": ""}

    @property
    def mapping_settings(self) -> dict[str, Any]:
        """The parameters that CreateEventSourceMapping and UpdateEventSourceMapping share."""
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
        """A hash that changes with every attribute, setting and tag of the deployer's.

        A connector's row stores the fingerprint that its queue and mapping were made with.
        """
        parts: list[Any] = [self.queue_attributes, self.mapping_settings]
        if self.settings.tags:
            parts.append(self.settings.tags)
        everything = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(everything.encode()).hexdigest()[:16]

    def tags(self, connector: str) -> dict[str, str]:
        """The tags of the queue and of the mapping of the connector with this resource name."""
        return self.deployers_tags | {STACK_TAG: self.settings.stack, CONNECTOR_TAG: connector}

    @property
    def deployers_tags(self) -> dict[str, str]:
        """The tags that the stack's parameter gives to all queues and mappings."""
        return dict(self.settings.tags)

    def invokes_sender(self, mapping: EventSourceMapping) -> bool:
        """Whether a mapping invokes the sender, through any of its aliases or versions."""
        # The alias is the last part of the sender's ARN: arn:…:function:{name}:{alias}.
        function = self.settings.sender_arn.rpartition(":")[0]
        return mapping.function_arn == function or mapping.function_arn.startswith(f"{function}:")

    def matches(self, mapping: EventSourceMapping) -> bool:
        """Whether a mapping is as it should be, or will be after its present transition."""
        return (
            mapping.function_arn == self.settings.sender_arn
            and mapping.state not in ("Disabling", "Disabled", "Deleting")
            and mapping.batch_size == BATCH_SIZE
            and mapping.batching_window == 0
            and mapping.maximum_concurrency == self.settings.maximum_concurrency
            and mapping.response_types == RESPONSE_TYPES
            and not mapping.has_filter
        )
