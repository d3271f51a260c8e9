"""A sender for each test, and workers that a test can let hang."""

import threading
from collections.abc import Iterator

import pytest

from tests.support.sender_bench import SenderBench


@pytest.fixture
def bench() -> SenderBench:
    return SenderBench()


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()
