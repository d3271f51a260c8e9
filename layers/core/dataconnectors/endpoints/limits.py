"""The limits of one attempt, its time and the size of the answer, and the notes that it makes."""

import time
from collections.abc import Callable

from dataconnectors.endpoints.outcomes import FailureKind, NoAnswerError
from dataconnectors.endpoints.trace import REST, Trace

ANSWER_BYTES = 64 * 1024
"""Of a whole answer, with interim answers, headers and the framing of the body. The standard
library accepts 100 header lines of 64 KiB: ten hostile endpoints could fill the memory."""


class Limits:
    """Counts down during one attempt, in seconds of `clock`.

    `ended` is True when the endpoint has closed its side of the connection. `trace` has the notes.
    """

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeout = timeout
        self.ended = False
        self.trace = Trace()
        self._clock = clock
        self._deadline = clock() + timeout
        self._bytes_left = ANSWER_BYTES

    def remaining(self) -> float:
        """The seconds left, always more than 0; raises `TimeoutError` when there are none."""
        left = self._deadline - self._clock()
        if left <= 0:
            raise TimeoutError("the attempt's deadline has passed")
        return left

    def allow_another_connection(self) -> bool:
        """Whether the attempt may go on over a new connection: nothing of an answer has come so
        far, and there is time left. Then the answer's limits begin anew."""
        if self._bytes_left < ANSWER_BYTES or self._clock() >= self._deadline:
            return False
        self.ended = False
        self.trace.begin_again()
        return True

    def end(self) -> Trace:
        """The notes, when the attempt is over."""
        self.trace.end(ANSWER_BYTES - self._bytes_left)
        return self.trace

    def receive(self, size: int) -> None:
        """Count `size` bytes of the answer; 0 means that the endpoint has closed its side."""
        self.ended = size == 0
        if size and self._bytes_left == ANSWER_BYTES:
            self.trace.enter(REST)
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise NoAnswerError(
                FailureKind.TOO_LARGE, f"the answer's headers take more than {ANSWER_BYTES} bytes"
            )
