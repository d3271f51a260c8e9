"""Runs of ingest and sender under injected faults, in virtual time. See docs/reliability.md.

`python -m tests.faults` also finds the layer's package on a bare checkout.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

sys.path.insert(0, str(ROOT / "layers" / "core"))
