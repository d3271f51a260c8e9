"""What is noted during an attempt, for the attempt log: when each phase began, and the answer.

A phase lasts until the next one begins; the last one ends with the attempt, also when it failed. An
attempt over a kept connection has neither `DNS`, `CONNECT` nor `TLS`.
"""

import time
from collections.abc import Iterable, Mapping

DNS, CONNECT, TLS, FIRST_BYTE, REST = "dns", "connect", "tls", "firstByte", "rest"
PHASES = (DNS, CONNECT, TLS, FIRST_BYTE, REST)
"""Resolving the name; TCP; the TLS handshake; from sending the request to the first byte of the
answer; and from there to the end of what is read of it."""


class Trace:
    """Notes of one attempt. They cost a few clock reads: nothing is computed until someone asks.

    `status` is that of the answer whose headers have come, None before. `headers` are its headers
    in pairs as they came, and `body` is what was read of its body, all of it if `is_whole`. `sent`
    and `received` count the bytes of the request and of the answer, headers included.
    """

    __slots__ = ("_ended", "_marks", "body", "headers", "is_whole", "received", "sent", "status")

    def __init__(self) -> None:
        self._marks: list[tuple[str, float]] = []
        self._ended = 0.0
        self.status: int | None = None
        self.headers: Iterable[tuple[str, str]] = ()
        self.body = bytearray()
        self.is_whole = False
        self.sent = 0
        self.received = 0

    def enter(self, phase: str) -> None:
        """Note that a phase begins now."""
        self._marks.append((phase, time.monotonic()))

    def end(self, received: int) -> None:
        """Note that the attempt is over, and how many bytes of an answer have come."""
        self._ended = time.monotonic()
        self.received = received

    def begin_again(self) -> None:
        """Forget a kept connection that was dead: the phases are those of the one after it."""
        self._marks.clear()
        self.sent = 0

    def durations(self) -> Mapping[str, float]:
        """Seconds of each phase that was entered."""
        ends = [begun for _, begun in self._marks[1:]] + [self._ended]
        return {phase: end - begun for (phase, begun), end in zip(self._marks, ends, strict=True)}
