"""Lets moto's event source mappings do what AWS's do, and not more.

In moto 5.2.5 each enabled mapping receives messages inside SendMessage, and drops those that the
function does not accept at once. The API for mappings still works here, but messages stay in their
queues. And moto describes a mapping of an alias as one of the version behind it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.awslambda.models import EventSourceMapping
from moto.sqs.models import Queue


def install() -> None:
    """Let mappings in this process name the alias that they are made for. They keep it."""
    alias = property(lambda mapping: mapping.function_name, lambda mapping, version: None)
    setattr(EventSourceMapping, "function_arn", alias)  # noqa: B010  # moto sets it in each object


@contextmanager
def ignored_by_queues() -> Iterator[None]:
    """Inside the `with` block, messages stay in their queue until they are received."""
    nothing = property(lambda queue: {}, lambda queue, mappings: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Queue, "lambda_event_source_mappings", nothing, raising=False)
        yield
