"""Measures the CPU time of a request, without work for objects that other tests left in memory."""

import contextlib
import gc
import time
from collections.abc import Iterator


@contextlib.contextmanager
def at_most(seconds: float, what: object = "") -> Iterator[None]:
    """Fail when the block takes more CPU seconds, in all threads.

    The garbage collector is off. It would search all objects of moto and pytest, which takes longer
    than the measured requests and would count for one of them at random.
    """
    gc.disable()
    try:
        began = time.process_time()
        yield
        taken = time.process_time() - began
    finally:
        gc.enable()
    assert taken < seconds, what
