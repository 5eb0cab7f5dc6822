"""F47: no sample of the EEG leaves on any socket, whatever is connected."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from support.peers.real_broker import RealBroker
from support.peers.tcp_proxy import TcpProxy
from support.running_product import Product
from support.waiting import until

pytestmark = pytest.mark.broker
CHANNELS = ("TP9", "AF7", "AF8", "TP10")
RATE_HZ = 256
ENDPOINTS = [(role, path) for role in ("engine", "player") for path in ("/health", "/metrics")]


def _recording(path: Path, seconds: int) -> np.ndarray:
    """A muse-lsl file of known, unmistakable samples."""
    rng = np.random.default_rng(47)
    samples = np.round(rng.normal(0, 20, (seconds * RATE_HZ, len(CHANNELS))), 3)
    times = 1_700_000_000 + np.arange(len(samples)) / RATE_HZ
    lines = ["timestamps," + ",".join(CHANNELS) + ",Right AUX"]
    lines += [
        f"{at:.6f}," + ",".join(f"{value:.3f}" for value in row) + ",0.0"
        for at, row in zip(times, samples, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n")
    return samples


def _patterns(samples: np.ndarray) -> set[bytes]:
    """How neighbouring samples would look on a wire: as text, and packed in either width and order."""
    found: set[bytes] = set()
    for row in range(0, len(samples) - 1, 7):
        for channel in range(samples.shape[1]):
            one, two = float(samples[row, channel]), float(samples[row + 1, channel])
            found.add(f"{one:.3f}".rstrip("0").encode() + b"," + f"{two:.3f}".rstrip("0").encode())
            for kind in ("<ff", ">ff", "<dd", ">dd"):
                found.add(struct.pack(kind, one, two))
    return found


def _told(ports: dict[str, int]) -> bytes:
    """What health and metrics of the roles that run say now."""
    found = b""
    for role, path in ENDPOINTS:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{ports[role]}{path}", timeout=60) as answer,
        ):
            found += answer.read()
    return found


def _leaks(seen: bytes, patterns: set[bytes]) -> list[bytes]:
    return [pattern for pattern in patterns if pattern in seen]


def test_the_search_would_find_a_leak(tmp_path: Path) -> None:
    samples = _recording(tmp_path / "one.csv", 2)
    patterns = _patterns(samples)
    assert _leaks(b"xx" + samples[:, 1].astype("<f4").tobytes() + b"yy", patterns)
    assert _leaks(str(samples[:, 0].tolist()).replace(" ", "").encode(), patterns)
    assert not _leaks(os.urandom(100_000), patterns)


@pytest.mark.parametrize("share", ["full", "coarse"])
async def test_f47_no_sample_travels(
    tmp_path: Path, free_port: int, product: Product, share: str, health_ports: dict[str, int]
) -> None:
    broker = RealBroker(tmp_path, free_port)
    broker.start()
    samples = _recording(tmp_path / "wearer.csv", 20)
    os.environ["NEUROPLAYER_SHARE"] = share
    try:
        async with TcpProxy(free_port) as proxy:
            running = product.start(
                *("run", "--plain", "--output", "null", "--no-web", "--baseline", "none"),
                *("--source", f"replay:{tmp_path / 'wearer.csv'}", "--speed", "4"),
                *("--broker", f"mqtt://127.0.0.1:{proxy.port}"),
            )
            told = b""
            while b"neuroplayer_states_total" not in told or b"/signal" not in proxy.seen:
                assert running.process.poll() is None, running.errors
                told += await asyncio.to_thread(_told, health_ports)
                await asyncio.sleep(0.1)
            await until(lambda: b'"state":"ended"' in proxy.seen, "the recording was read to its end")
            running.interrupt()
            await asyncio.to_thread(running.wait)
            seen = bytes(proxy.seen)
    finally:
        del os.environ["NEUROPLAYER_SHARE"]
        broker.stop()
    assert b"/emotion" in seen, running.errors
    assert b"/signal" in seen, "the samples were read"
    assert (b"/estimate" in seen) == (share == "full")
    everything = seen + told + "\n".join(running.lines + running.errors).encode()
    assert not _leaks(everything, _patterns(samples))
