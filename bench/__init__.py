"""Measurements. `python -m bench` also finds the layer's package on a bare checkout."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "core"))
