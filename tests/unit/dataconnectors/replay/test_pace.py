"""When a replay holds back, and how long it pauses."""

import pytest

from dataconnectors.aws.queue_depth import QueueDepth
from dataconnectors.provisioning.blueprint import BATCH_SIZE
from dataconnectors.replay.pace import BATCH_MESSAGES, Pace

PACE = Pace(rate=100, maximum_concurrency=50)


@pytest.mark.parametrize(
    ("waiting", "in_flight", "holds_back"),
    [
        (0, 0, False),
        (99, 500, False),  # fifty batches of ten are what a healthy endpoint can have
        (100, 0, True),
        (0, 501, True),  # the rest waits for its next attempt
        (0, 120_000, True),
    ],
)
def test_a_replay_holds_back_unless_the_queue_is_short(
    waiting: int, in_flight: int, holds_back: bool
) -> None:
    assert PACE.holds_back(QueueDepth(waiting, in_flight)) is holds_back


def test_the_pause_makes_the_rate() -> None:
    assert PACE.pause_after(100) == 1
    assert PACE.pause_after(25) == 0.25
    assert PACE.pause_after(0) == 0


def test_a_batch_is_as_large_as_that_of_the_mappings() -> None:
    assert BATCH_MESSAGES == BATCH_SIZE
