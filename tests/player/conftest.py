"""The player's tests leave no thread and no process behind."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def ends_whole(nothing_left_behind: None) -> None:
    """A deck, a scan or a sink that is still ending would be a riddle in the next test."""
