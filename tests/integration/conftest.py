"""Fixtures of the tests that run the product as its own processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_broker import RealBroker
from running_product import MosquittoSub, Product


@pytest.fixture
def broker(tmp_path: Path, free_port: int) -> Iterator[RealBroker]:
    """A running Mosquitto on a free port of loopback."""
    found = RealBroker(tmp_path, free_port)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def ear(broker: RealBroker) -> Iterator[MosquittoSub]:
    """``mosquitto_sub`` hearing everything on that broker."""
    with MosquittoSub(broker.port) as sub:
        yield sub


@pytest.fixture
def product() -> Iterator[Product]:
    """Starts commands of the product, and ends what a test leaves running."""
    found = Product()
    yield found
    found.end_all()
