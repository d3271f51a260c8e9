"""moto without its own idea of event source mappings.

moto 5.2.5 lets each enabled mapping receive inside SendMessage and drops what the function does
not take at once. The mapping APIs stay; tests deliver messages with `poller`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.sqs.models import Queue


@contextmanager
def ignored_by_queues() -> Iterator[None]:
    """While it lasts, messages stay in their queue until somebody receives them."""
    nothing = property(lambda queue: {}, lambda queue, mappings: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Queue, "lambda_event_source_mappings", nothing, raising=False)
        yield
