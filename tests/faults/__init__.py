"""Ingest and sender under injected faults, in virtual time: see docs/reliability.md.

`python -m tests.faults` finds the layer's package on a bare checkout too.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

sys.path.insert(0, str(ROOT / "layers" / "core"))
