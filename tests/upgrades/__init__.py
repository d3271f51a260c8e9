"""The last release beside the present code. See docs/upgrades.md.

`releases/` has what the last release was and left behind, recorded by `python -m tests.upgrades`:
its sources, and the rows, messages and tokens that it wrote. The tests run both releases over the
same table and queues, in every direction in which a deployment mixes them.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "layers" / "core"))  # on a bare checkout
