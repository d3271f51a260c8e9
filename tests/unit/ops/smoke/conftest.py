"""A stack to smoke-test."""

from collections.abc import Iterator

import pytest

from tests.support.smoked_stack import SmokedStack


@pytest.fixture
def stack() -> Iterator[SmokedStack]:
    """One that works, until a test names its faults."""
    stack = SmokedStack()
    stack.server.start()
    yield stack
    stack.server.stop()
