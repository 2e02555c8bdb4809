"""What every test may use: the doubles on the path, and a clock that only moves when told."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
