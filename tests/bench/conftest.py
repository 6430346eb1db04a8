"""`bench` is run from the checkout and never installed: its tests find it there."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
