"""A stack for the tests of the reconciler."""

import pytest

from tests.support.reconciled_stack import Stack, ready_stack


@pytest.fixture
def stack() -> Stack:
    """A stack with one connector that is `READY`."""
    return ready_stack()
