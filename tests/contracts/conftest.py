"""The contracts share their makers of files, and those of the parts they hold."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "player", HERE.parent / "inference", HERE.parent / "acquisition"):
    sys.path.insert(0, str(folder))
