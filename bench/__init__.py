"""Measurements; `python -m bench` finds the layer's package on a bare checkout too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "core"))
