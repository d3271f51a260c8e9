"""What one attempt may take: its time, and the bytes of its answer."""

import time

from dataconnectors.endpoints.outcomes import FailureKind, NoAnswerError

ANSWER_BYTES = 64 * 1024
"""Of a whole answer: interim responses, header lines and the framing of the body included. The
standard library takes 100 lines of 64 KiB, which ten hostile endpoints could fill memory with."""


class Limits:
    """Counts down through an attempt. Real time: it bounds what sockets do.

    `ended` says that the endpoint has closed its end of the connection.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.ended = False
        self._deadline = time.monotonic() + timeout
        self._bytes_left = ANSWER_BYTES

    def remaining(self) -> float:
        """Seconds left, always positive; raises `TimeoutError` when there are none."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the attempt's deadline has passed")
        return left

    def receive(self, size: int) -> None:
        """Take `size` bytes of an answer into account; 0 is its end."""
        self.ended = size == 0
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise NoAnswerError(
                FailureKind.TOO_LARGE, f"the answer's headers take more than {ANSWER_BYTES} bytes"
            )
