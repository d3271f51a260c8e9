"""Fakes of the places that undelivered messages go to; a test chooses how they fail."""

from collections.abc import Sequence

from dataconnectors.delivery.dead_letters import DeadLetter
from dataconnectors.expiry.expired_event import ExpiredEvent


class DeadLetters:
    """A dead-letter queue. It does not confirm ids in `refused`; calls raise `error` if it is
    set."""

    def __init__(self) -> None:
        self.letters: dict[str, DeadLetter] = {}
        self.refused: set[str] = set()
        self.error: Exception | None = None

    def put(self, dead_letters: Sequence[DeadLetter]) -> set[str]:
        assert dead_letters
        if self.error is not None:
            raise self.error
        confirmed = {
            dead_letter.message.message_id: dead_letter
            for dead_letter in dead_letters
            if dead_letter.message.message_id not in self.refused
        }
        self.letters |= confirmed
        return set(confirmed)


class ExpiredEvents:
    """Records of expired events.

    `saved` has the records by event id. Ids in `refused` are not saved, and `save` raises `error`
    if it is set. `counted` has the number and the time of each call that counts events for an
    announcement; these calls raise `count_error` if it is set.
    """

    def __init__(self) -> None:
        self.saved: dict[str, ExpiredEvent] = {}
        self.counted: list[tuple[int, float]] = []
        self.refused: set[str] = set()
        self.error: Exception | None = None
        self.count_error: Exception | None = None

    def save(self, events: Sequence[ExpiredEvent]) -> set[int]:
        assert events
        if self.error is not None:
            raise self.error
        confirmed = {
            position: event
            for position, event in enumerate(events)
            if event.event_id not in self.refused
        }
        self.saved |= {event.event_id: event for event in confirmed.values()}
        return set(confirmed)

    def count_for_announcement(self, events: Sequence[ExpiredEvent], now: float) -> None:
        if self.count_error is not None:
            raise self.count_error
        self.counted.append((len(events), now))
