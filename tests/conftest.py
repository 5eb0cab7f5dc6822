"""Fixtures every part shares."""

from __future__ import annotations

import atexit
import os
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

from acquisition.lsl.discovery import configuration
from support.free_ports import a_free_port, free_ports_in_a_row
from support.peers.real_broker import RealBroker
from support.running_product import MosquittoSub, Product
from support.waiting import wait_until

# An example that is late on a busy machine is no counterexample. Every run tries the same examples; more
# are looked for on purpose: make test ARGS=--hypothesis-profile=explore
LATE = (HealthCheck.too_slow,)
settings.register_profile("house", deadline=None, suppress_health_check=LATE, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, suppress_health_check=LATE, derandomize=False)
settings.load_profile("house")

# whoever has vibenet would get other moods than the tests expect
os.environ["NEUROPLAYER_VIBENET_PYTHON"] = ""


def _lsl_session() -> Path:
    """LSL as the product wants it, in a session of this process's own: no outlet of another one is seen."""
    descriptor, name = tempfile.mkstemp(prefix="neuroplayer-lsl-", suffix=".cfg")
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{configuration()}[lab]\nSessionID = test-{uuid.uuid4().hex}\n")
    atexit.register(Path(name).unlink, missing_ok=True)
    return Path(name)


# liblsl reads it at its first use, here and in every process that a test starts
os.environ["LSLAPICFG"] = str(_lsl_session())

EEG_DIR = Path(__file__).resolve().parents[1] / ".." / "shared" / "eeg"


@pytest.fixture(scope="session")
def eeg_dir() -> Path:
    """The folder of real recordings; tests that need it skip where it is absent."""
    if not EEG_DIR.is_dir():
        pytest.skip(f"the recordings are not here: {EEG_DIR}")
    return EEG_DIR.resolve()


@pytest.fixture
def free_port() -> int:
    """A TCP port on loopback that nothing listens on, and that no other test is given."""
    return a_free_port()


@pytest.fixture
def broker(tmp_path: Path, free_port: int) -> Iterator[RealBroker]:
    """A running Mosquitto on a free port of loopback."""
    with RealBroker(tmp_path, free_port) as found:
        yield found


@pytest.fixture
def ear(broker: RealBroker) -> Iterator[MosquittoSub]:
    """``mosquitto_sub`` hearing everything on that broker."""
    with MosquittoSub(broker.port) as sub:
        yield sub


@pytest.fixture
def product() -> Iterator[Product]:
    """Starts commands of the product, and ends what a test leaves running."""
    found = Product()
    try:
        yield found
    finally:
        found.end_all()


@pytest.fixture
def health_ports(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Free ports in a row, one a role, where the product's roles tell their health and numbers."""
    roles = ("engine", "player", "web", "broker")
    first = free_ports_in_a_row(len(roles))
    monkeypatch.setenv("NEUROPLAYER_HEALTH_PORT", str(first))
    return {role: first + more for more, role in enumerate(roles)}


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the cache, state or configuration of the person who runs it."""
    base = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("NEUROPLAYER_CACHE_DIR", str(base / "cache"))
    monkeypatch.setenv("NEUROPLAYER_STATE_DIR", str(base / "state"))
    monkeypatch.setenv("NEUROPLAYER_CONFIG", str(base / "neuroplayer.toml"))


@pytest.fixture
def nothing_left_behind() -> Iterator[None]:
    """Threads and processes that the test began are gone before the next one begins."""
    threads = set(threading.enumerate())
    children = set(psutil.Process().children())

    def gone() -> bool:
        left = set(threading.enumerate()) - threads
        # threads of native libraries that once called Python stay on the list
        running = [one for one in left if not isinstance(one, threading._DummyThread)]
        return not running and set(psutil.Process().children()) <= children

    yield
    wait_until(gone, "every thread and process of the test ends")
