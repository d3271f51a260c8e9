"""Where messages go that are not delivered, with failures to order."""

from collections.abc import Sequence

from dataconnectors.delivery.dead_letters import DeadLetter
from dataconnectors.expiry.expired_event import ExpiredEvent


class DeadLetters:
    """A queue of dead letters: `refused` ids are not confirmed, `error` is raised by every call."""

    def __init__(self) -> None:
        self.letters: dict[str, DeadLetter] = {}
        self.refused: set[str] = set()
        self.error: Exception | None = None

    def put(self, dead_letters: Sequence[DeadLetter]) -> set[str]:
        assert dead_letters
        if self.error is not None:
            raise self.error
        taken = {
            dead_letter.message.message_id: dead_letter
            for dead_letter in dead_letters
            if dead_letter.message.message_id not in self.refused
        }
        self.letters |= taken
        return set(taken)


class ExpiredEvents:
    """Records of expired events. `refused` events are not saved; every call raises `error`."""

    def __init__(self) -> None:
        self.kept: dict[str, ExpiredEvent] = {}
        self.noted: list[tuple[int, float]] = []
        self.refused: set[str] = set()
        self.error: Exception | None = None
        self.note_error: Exception | None = None

    def save(self, events: Sequence[ExpiredEvent]) -> set[int]:
        assert events
        if self.error is not None:
            raise self.error
        taken = {
            position: event
            for position, event in enumerate(events)
            if event.event_id not in self.refused
        }
        self.kept |= {event.event_id: event for event in taken.values()}
        return set(taken)

    def count_for_announcement(self, events: Sequence[ExpiredEvent], now: float) -> None:
        if self.note_error is not None:
            raise self.note_error
        self.noted.append((len(events), now))
