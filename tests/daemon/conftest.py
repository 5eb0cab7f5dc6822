"""Fixtures of the daemon's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_broker import RealBroker


@pytest.fixture
def broker(tmp_path: Path, free_port: int) -> Iterator[RealBroker]:
    """A running Mosquitto on a free port of loopback."""
    found = RealBroker(tmp_path, free_port)
    found.start()
    yield found
    found.stop()
