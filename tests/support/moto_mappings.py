"""Keeps moto's event source mappings from receiving messages.

In moto 5.2.5 each enabled mapping receives messages inside SendMessage, and drops those that the
function does not accept at once. The API for mappings still works here, but messages stay in their
queues.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.sqs.models import Queue


@contextmanager
def ignored_by_queues() -> Iterator[None]:
    """Inside the `with` block, messages stay in their queue until they are received."""
    nothing = property(lambda queue: {}, lambda queue, mappings: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Queue, "lambda_event_source_mappings", nothing, raising=False)
        yield
