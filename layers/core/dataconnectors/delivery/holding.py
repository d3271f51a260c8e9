"""How long events are held while their connector is in an outage or paused, and when canaries go.

docs/decisions/0015-outages.md weighs these numbers.
"""

import math

from dataconnectors.delivery.retry import wait_after
from dataconnectors.expiry.expired_event import LAST_ATTEMPT_AGE

SHORTEST_HOLD, LONGEST_HOLD, HOLD_SHARE = 10.0, 300.0, 1 / 4
"""An event is held for up to a quarter of the outage's age so far, in seconds and within these
bounds: short outages end soon for all their events, and long ones cost little."""

LEAST_SPREAD = 0.5
"""Events are held for this share of the longest hold, or more: at random, so that they come back
spread out after an outage, and not all at the same moment."""

SLOT = 5
"""Seconds. Held events become visible at whole multiples, and so in fuller batches. A visibility
timeout counts whole seconds from its call, so a slot is a second wide."""

PARTS = 8
ROUND = SLOT * PARTS
"""In an outage so old that holds do not grow any more, slots take turns: each belongs to an eighth
of a second, and what is held comes back in a slot of that eighth in which it is put back. All of a
slot's events so become visible within an eighth of a second, not within a whole one. Each eighth
has its turn once in a round of so many seconds."""

SHORTEST_CANARY, LONGEST_CANARY, CANARY_SHARE = 8.0, 60.0, 1 / 8
"""The next canary goes an eighth of the outage's age after the last one has failed, in seconds and
within these bounds. 8 s is the first wait of the back-off."""

CANARY_LEASE = 60.0
"""Seconds for which a canary keeps others from starting, unless its attempt may take longer. When
its process dies, the next one goes after them."""

CLOCKS_DIFFER = 30.0
"""Seconds between the clocks of two processes at most. A lease is longer than an attempt by that:
no clock that is fast starts a second canary beside the first."""

LAST_LOOK = 15.0
"""Seconds before the last attempt may begin. A held event comes back then, not after it: if the
outage is over, there is time for an attempt."""


def hold_share(age: float) -> float:
    """The longest seconds for which an event is held when the outage or pause is `age` old."""
    return min(max(age * HOLD_SHARE, SHORTEST_HOLD), LONGEST_HOLD)


def canary_interval(age: float) -> float:
    """Seconds from a failed canary to the next one, in an outage that is `age` old."""
    return min(max(age * CANARY_SHARE, SHORTEST_CANARY), LONGEST_CANARY)


def canary_wait(age: float) -> float:
    """Seconds for which the event of a failed canary waits, in an outage that is `age` old.

    It comes back just after the next canary is due: an outage is noticed to be over even if no
    other event comes by. The slot covers what the attempt adds to the outage's age and to the time
    at which the next canary is due.
    """
    return canary_interval(age) + SLOT


def canary_lease(longest_attempt: float) -> float:
    """Seconds for which a canary is claimed when an attempt takes `longest_attempt` at most."""
    return max(CANARY_LEASE, longest_attempt + CLOCKS_DIFFER)


def hold_seconds(
    receive_count: int, event_age: float, share: float, spread: float, now: float
) -> float:
    """Seconds for which an event is held, from `now` in epoch seconds; 0 when its time is up.

    `share` is that of `hold_share`, and `spread` is from 0 to 1. An event is never held for longer
    than it would have waited after a failed attempt, except for what is missing to a whole slot. So
    a young event of an outage that ends soon comes no later than its back-off would have had it.
    """
    wait = wait_after(receive_count, 0, event_age)
    if share < LONGEST_HOLD:
        wait = min(wait, share * (LEAST_SPREAD + (1 - LEAST_SPREAD) * spread))
    if share < LONGEST_HOLD or wait < 2 * ROUND:
        in_slot = math.ceil((now + wait) / SLOT) * SLOT - now
    else:
        in_slot = _last_turn_before(now + min(wait, LONGEST_HOLD), now) - int(now)
    return max(0.0, min(in_slot, LAST_ATTEMPT_AGE - LAST_LOOK - event_age))


def _last_turn_before(latest: float, now: float) -> int:
    """The second of the last slot before `latest` that belongs to the part of a second of `now`."""
    first = int(now % 1 * PARTS) * SLOT
    return int(latest - first) // ROUND * ROUND + first
