"""Outages in virtual time: what they cost, what neighbours notice, and what the endpoint sees.

The sender's handler and all of its layer are real. AWS is the models of `tests.faults`, without
faults. So this folder is beside that one, and not in `bench`, which measures real time.
"""

from tests import faults

ROOT = faults.ROOT
