"""When an event of an outage comes back, against a plain clock: the rules alone, for one event.

The plain clock is the back-off without outages: an event that fails at an age of `a` comes again
within `min(a + 8 s, 1 h)`, whatever it has been through. Of an event that is held, these hold, and
are proved here for any phase of the event, the outage and the canaries:

1. Each hold ends no later than the wait after a failed attempt at that moment would have, plus a
   slot. So what is held is seen at least as often as the plain clock would have it.
2. After the outage is noticed to be over, the event comes within the longest hold at that moment,
   or within the plain clock's longest wait at its age if that is shorter; plus a slot each.
3. The outage is noticed to be over within one attempt and one interval of canaries (and a slot), or
   four times the attempt where that is longer; also when no event but the canary's is left.
4. Together, an event comes within a quarter of the outage's age, an eighth of it, two slots and the
   attempt after its endpoint works again: 371 s at the most for one that fails at once.

"No later than its clock plus one interval" does not hold phase by phase: an event that was held a
moment before the endpoint works again may come up to a hold later, while its clock, by chance,
would have been due just then. No rule has both: holds of minutes are what makes outages cheap.
"""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import assume, example, given
from hypothesis import strategies as st

from dataconnectors.delivery.holding import (
    LAST_LOOK,
    SLOT,
    canary_interval,
    canary_wait,
    hold_seconds,
    hold_share,
)
from dataconnectors.delivery.retry import FIRST_WAIT, LONGEST_WAIT, RESPONSE_FACTOR, wait_after
from dataconnectors.expiry.expired_event import LAST_ATTEMPT_AGE

BEGIN = 1_790_000_000.0
"""When the outage begins, in epoch seconds."""

ROUNDED_UP = 1.0
"""Seconds: visibility timeouts are whole."""

EXACT = 1e-3
"""What a time of today loses as a floating-point number, with much to spare."""


class Event(NamedTuple):
    """A held event. `looks` are when SQS hands it out in the outage, in epoch seconds."""

    accepted: float
    receives: int
    looks: Sequence[float]


@st.composite
def held_events(draw: st.DrawFn) -> Event:
    """An event from before the outage or from within, through any number of holds."""
    accepted = BEGIN + draw(st.floats(-40_000, 3_000))
    look = max(accepted, BEGIN) + draw(st.floats(0, 3_600))
    receives = draw(st.integers(1, 30))
    looks = [look]
    for spread in draw(st.lists(st.floats(0, 1), min_size=1, max_size=20)):
        share = hold_share(look - BEGIN)
        number = receives + len(looks) - 1
        seconds = hold_seconds(number, look - accepted, share, spread, look)
        if not seconds:
            break
        look += seconds
        looks.append(look)
    assume(len(looks) > 1)
    return Event(accepted, receives, looks)


@given(held_events())
def test_an_event_is_seen_at_least_as_often_as_its_plain_clock_would_have_it(event: Event) -> None:
    for number, (look, next_look) in enumerate(
        zip(event.looks, event.looks[1:], strict=False), start=event.receives
    ):
        plain = wait_after(number, 0, look - event.accepted)
        assert next_look - look <= plain + SLOT + EXACT
        assert next_look - event.accepted <= LAST_ATTEMPT_AGE - LAST_LOOK + EXACT


@given(event=held_events(), phase=st.floats(0, 1))
@example(event=Event(BEGIN - 9000, 12, [BEGIN + 1200, BEGIN + 1505]), phase=0.0)
def test_an_event_comes_within_a_hold_after_the_outage_is_noticed_to_be_over(
    event: Event, phase: float
) -> None:
    noticed = event.looks[0] + phase * (event.looks[-1] - event.looks[0])
    comes = next(look for look in event.looks if look >= noticed)
    age = max(noticed - event.accepted, 0)
    plain = min(age + FIRST_WAIT, LONGEST_WAIT)
    assert comes - noticed <= min(hold_share(noticed - BEGIN), plain) + SLOT + EXACT


def canaries(attempt: float, first: float, roundings: Sequence[float]) -> list[float]:
    """When the only event of an outage is attempted, as its canary, `attempt` seconds each time.

    Checks that it never comes before the next canary is due. What a batch writes down is late by
    up to as long as it may take to save records.
    """
    starts = [first]
    for rounding in roundings:
        age, ended = starts[-1] - BEGIN, starts[-1] + attempt
        comes = ended + max(RESPONSE_FACTOR * attempt, canary_wait(age)) + rounding
        due = ended + 2.0 + canary_interval(ended + 2.0 - BEGIN)
        assert due <= comes
        starts.append(comes)
    return starts


@given(
    attempt=st.floats(0, 11),
    first=st.floats(0, 40_000),
    roundings=st.lists(st.floats(0, ROUNDED_UP), min_size=1, max_size=20),
    phase=st.floats(0, 1),
)
def test_an_outage_is_noticed_to_be_over_even_if_one_event_is_left(
    attempt: float, first: float, roundings: list[float], phase: float
) -> None:
    starts = canaries(attempt, BEGIN + first, roundings)
    works = starts[0] + phase * (starts[-1] - starts[0])
    noticed = next(start for start in starts if start >= works)
    between = max(RESPONSE_FACTOR * attempt, canary_interval(works - BEGIN) + SLOT)
    assert noticed - works <= attempt + between + ROUNDED_UP + EXACT


@given(attempt=st.floats(0, 11), age=st.floats(0, 43_200))
def test_an_event_comes_soon_after_its_endpoint_works_again(attempt: float, age: float) -> None:
    """The sum of the two bounds above, in an outage that is noticed to be over at this age."""
    noticed = attempt + max(RESPONSE_FACTOR * attempt, canary_interval(age) + SLOT) + ROUNDED_UP
    comes = noticed + hold_share(age) + SLOT
    assert comes <= 371 + attempt + EXACT
    quarter = max(age / 4, 10)
    assert comes <= quarter + max(4 * attempt, max(age / 8, 8) + SLOT) + attempt + 6 + EXACT
