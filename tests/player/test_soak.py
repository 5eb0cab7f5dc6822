"""An hour of music with a busy process beside: by ``make soak`` only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.soak
@pytest.mark.timeout(4500)
def test_an_hour_without_an_underrun_and_with_memory_flat() -> None:
    subprocess.run([sys.executable, "bench/player/soak.py", "3600"], cwd=ROOT, check=True, timeout=4400)
    answer = json.loads((ROOT / "bench" / "results" / "player_soak.json").read_text(encoding="utf-8"))
    measured = {row["figure"]: row["measured"] for row in answer["rows"]}
    assert next(n for name, n in measured.items() if name.startswith("underruns of a card")) == 0
    assert measured["growth from the second quarter to the last, MB"] < 5
