"""The player's tests share their track makers, and leave no thread and no process behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def ends_whole(nothing_left_behind: None) -> None:
    """A deck, a scan or a sink that is still ending would be a riddle in the next test."""
