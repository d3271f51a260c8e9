"""What a request costs, and nothing of what the tests around it have left in memory."""

import contextlib
import gc
import time
from collections.abc import Iterator


@contextlib.contextmanager
def at_most(seconds: float, what: object = "") -> Iterator[None]:
    """Fails when the block takes more of the CPU, all threads counted.

    Without the garbage collector: looking through all that moto and pytest hold takes longer than
    the requests that are measured, and falls on whichever of them is under way.
    """
    gc.disable()
    try:
        began = time.process_time()
        yield
        taken = time.process_time() - began
    finally:
        gc.enable()
    assert taken < seconds, what
