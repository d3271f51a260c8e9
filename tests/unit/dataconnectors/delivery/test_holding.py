"""How long events are held, and when canaries go: the rules alone, and against a model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataconnectors.delivery.holding import (
    LAST_LOOK,
    LONGEST_HOLD,
    PARTS,
    ROUND,
    SLOT,
    canary_interval,
    canary_lease,
    hold_seconds,
    hold_share,
)
from dataconnectors.delivery.retry import wait_after
from dataconnectors.expiry.expired_event import LAST_ATTEMPT_AGE

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("age", "share", "interval"),
    [
        (-30.0, 10, 8),  # the clock that began the outage was ahead
        (0.0, 10, 8),
        (40.0, 10, 8),
        (80.0, 20, 10),
        (240.0, 60, 30),
        (480.0, 120, 60),
        (1200.0, 300, 60),
        (43_200.0, 300, 60),
    ],
)
def test_holds_and_intervals_grow_with_the_outage(
    age: float, share: float, interval: float
) -> None:
    assert hold_share(age) == share
    assert canary_interval(age) == interval


@pytest.mark.parametrize(("attempt", "lease"), [(1.1, 60), (11.0, 60), (30.0, 60), (330.0, 360)])
def test_a_lease_outlasts_its_attempt_by_the_difference_of_two_clocks(
    attempt: float, lease: float
) -> None:
    assert canary_lease(attempt) == lease


@pytest.mark.parametrize(
    ("receives", "event_age", "share", "spread", "now", "seconds"),
    [
        (1, 0.0, 300, 1.0, NOW, 10),  # 8 s, as after a failed attempt, and the rest of the slot
        (1, 0.0, 300, 1.0, NOW + 2, 8),
        (3, 40.0, 300, 1.0, NOW, 35),
        (10, 4000.0, 200, 1.0, NOW, 200),
        (10, 4000.0, 200, 0.0, NOW, 100),
        (10, 4000.0, 200, 0.5, NOW, 150),
        # In an old outage, slots take turns: each eighth of a second has one in 40 s.
        (10, 4000.0, 300, 1.0, NOW, 280),  # the run's begin is half of a round
        (10, 4000.0, 300, 0.0, NOW, 280),
        (10, 4000.0, 300, 1.0, NOW + 0.124, 280),
        (10, 4000.0, 300, 1.0, NOW + 0.126, 285),
        (10, 4000.0, 300, 1.0, NOW + 0.999, 275),
        (10, 4000.0, 300, 1.0, NOW + 19.999, 296),
        (10, 4000.0, 300, 1.0, NOW + 20.001, 300),
        (5, 4000.0, 300, 1.0, NOW, 120),  # within its back-off of 128 s
        (4, 4000.0, 300, 1.0, NOW, 65),  # too short for a turn
        (10, 4000.0, 10, 0.3, NOW + 0.5, 9.5),
        (10, LAST_ATTEMPT_AGE - 100, 300, 1.0, NOW, 85),  # one more look before its time is up
        (10, LAST_ATTEMPT_AGE - 15, 300, 1.0, NOW, 0),
        (10, LAST_ATTEMPT_AGE + 60, 300, 1.0, NOW, 0),
    ],
)
def test_how_long_an_event_is_held(
    receives: int, event_age: float, share: float, spread: float, now: float, seconds: float
) -> None:
    assert hold_seconds(receives, event_age, share, spread, now) == seconds


@given(
    receives=st.integers(1, 500),
    event_age=st.floats(0, 43_200),
    outage_age=st.floats(-30, 43_200),
    spread=st.floats(0, 1),
    offset=st.floats(0, 1000),
)
def test_a_hold_ends_in_a_slot_within_its_share_and_within_the_events_back_off(
    receives: int, event_age: float, outage_age: float, spread: float, offset: float
) -> None:
    share, now = hold_share(outage_age), NOW + offset
    back_off = wait_after(receives, 0, event_age)
    seconds = hold_seconds(receives, event_age, share, spread, now)
    assert 0 <= seconds <= min(share, back_off) + SLOT
    last_look = LAST_ATTEMPT_AGE - LAST_LOOK
    if seconds and event_age + seconds < last_look - 1e-3:
        if share < LONGEST_HOLD or back_off < 2 * ROUND:
            assert min((now + seconds) % SLOT, -(now + seconds) % SLOT) <= 1e-3
            assert seconds >= min(share / 2, back_off) - 1e-3
        else:
            assert (int(now) + seconds) % ROUND == int(now % 1 * PARTS) * SLOT
            assert seconds > min(share, back_off) - ROUND - 1
    assert event_age + seconds <= max(last_look + 1e-3, event_age)
