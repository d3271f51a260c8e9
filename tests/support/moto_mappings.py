"""Lets moto's event source mappings do what AWS's do, and not more.

In moto 5.2.5 each enabled mapping receives messages inside SendMessage, and drops those that the
function does not accept at once. The API for mappings still works here, but messages stay in their
queues. And moto describes a mapping of an alias as one of the version behind it, and makes a second
mapping of one queue and function, where AWS answers with a conflict.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import EventSourceMapping, LambdaBackend
from moto.sqs.models import Queue


def install() -> None:
    """Let mappings in this process keep the alias that they are made for, and be one of a kind."""
    alias = property(lambda mapping: mapping.function_name, lambda mapping, version: None)
    setattr(EventSourceMapping, "function_arn", alias)  # noqa: B010  # moto sets it in each object
    create = LambdaBackend.create_event_source_mapping

    def create_only_one(backend: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
        for mapping in backend._event_source_mappings.values():
            if (mapping.event_source_arn, mapping.function_name) == (
                spec.get("EventSourceArn"),
                spec.get("FunctionName"),
            ):
                raise LambdaClientError("ResourceConflictException", "The mapping exists already.")
        return create(backend, spec)

    setattr(LambdaBackend, "create_event_source_mapping", create_only_one)  # noqa: B010


@contextmanager
def ignored_by_queues() -> Iterator[None]:
    """Inside the `with` block, messages stay in their queue until they are received."""
    nothing = property(lambda queue: {}, lambda queue, mappings: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Queue, "lambda_event_source_mappings", nothing, raising=False)
        yield
