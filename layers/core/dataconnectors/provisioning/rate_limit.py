"""How fast the reconciler may call AWS's control plane, and until when."""

import time
from collections.abc import Callable

from dataconnectors.kernel.errors import DataConnectorsError

CALLS_PER_SECOND = 5
"""AWS: Lambda's whole control plane takes 15 requests a second for the account and Region, a limit
that cannot be raised. A third of it leaves room for deployments and for the config API."""

CALL_RESERVE = 15.0
"""Seconds that a call may take at worst: three tries of one second to connect and two to read
(see `aws.clients`), botocore's back-off between them, and the write to DynamoDB that follows."""


class OutOfTimeError(DataConnectorsError):
    """The invocation ends too soon for another call. The next run goes on."""


class RateLimit:
    """Is called before each control-plane call: spaces calls evenly, and refuses late ones.

    `remaining` gives the seconds that the invocation has left. `calls` counts the calls that were
    let through.
    """

    def __init__(
        self,
        remaining: Callable[[], float],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._remaining = remaining
        self._clock = clock
        self._sleep = sleep
        self._next_call_at = clock()
        self.calls = 0

    def __call__(self) -> None:
        """Wait until the next call may begin.

        Raises `OutOfTimeError` when the call might not end before the invocation does.
        """
        wait = self._next_call_at - self._clock()
        if self._remaining() - max(wait, 0.0) < CALL_RESERVE:
            raise OutOfTimeError("the invocation has no time for another control-plane call")
        if wait > 0:
            self._sleep(wait)
        # Counted from now and not from when this call might have begun: time that went unused is
        # not saved up for a burst.
        self._next_call_at = self._clock() + 1 / CALLS_PER_SECOND
        self.calls += 1
