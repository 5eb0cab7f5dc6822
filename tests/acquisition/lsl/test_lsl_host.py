"""Hosting: another program sees the EEG as an LSL stream, and a fault of the outlet reaches nobody."""

from __future__ import annotations

import os
import signal
import time
import uuid

import numpy as np
import psutil

from acquisition.lsl.inlet_source import LslSource
from acquisition.lsl.outlet_process import LslHost
from acquisition.port import AbsentError
from acquisition.signal import EegChunk, HeadsetStatus, StreamInfo
from support.waiting import PATIENCE_S, wait_until

INFO = StreamInfo("test", "a headset", ("TP9", "AF7", "AF8", "TP10"), 256.0, simulated=True)


def _chunk(number: int) -> EegChunk:
    index = np.arange(number * 16, number * 16 + 16, dtype=np.float64)
    return EegChunk(np.stack([index, -index, index / 2, index * 0 + 7]), 5000 + index / 256)


class _Headset:
    """Chunks one after another, later at the pace of a headset, however seldom it gets the time to."""

    def __init__(self, host: LslHost) -> None:
        self._host, self._sent = host, 0

    def push(self) -> None:
        """The next chunk."""
        self._host.push(_chunk(self._sent))
        self._sent += 1

    def pace(self) -> None:
        """From now on ``push_due`` gives a chunk each sixteenth of a second."""
        self._begin_s = time.monotonic() - self._sent / 16

    def push_due(self) -> None:
        """Whatever is due."""
        while self._sent < (time.monotonic() - self._begin_s) * 16:
            self.push()


def _open(name: str, headset: _Headset) -> LslSource:
    """Until somebody can look on."""
    source = LslSource(name)
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        headset.push()
        try:
            info = source.open()
        except AbsentError:
            source.close()
            continue
        assert info.channels == INFO.channels
        assert info.rate_hz == 256.0
        assert info.simulated, "whoever reads what a simulated wearer's session offers is told so"
        return source
    raise AssertionError("the outlet did not appear")


def _lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_what_is_pushed_is_seen_by_another_inlet_and_again_after_a_crash() -> None:
    name = f"host-{uuid.uuid4().hex[:8]}"
    host = LslHost(name)
    try:
        host.push(_chunk(0))
        assert host.pid is None, "nothing is offered before a headset is there"
        host.push(HeadsetStatus("streaming", INFO))
        headset = _Headset(host)
        source = _open(name, headset)
        seen = _look(source, headset)
        source.close()
        rows = np.concatenate([chunk.samples_uv for chunk in seen], axis=1)
        assert np.array_equal(np.diff(rows[0]), np.ones(rows.shape[1] - 1))
        assert np.array_equal(rows[1], -rows[0])
        times_s = np.concatenate([chunk.times_s for chunk in seen])
        assert np.allclose(np.diff(times_s), 1 / 256, atol=1e-3)

        pid = host.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not _lives(pid), "the outlet's process is gone")
        host.push(_chunk(0))
        host.push(_chunk(1))
        host._retry_s = -100.0
        headset = _Headset(host)
        source = _open(name, headset)
        assert host.pid != pid
        assert _look(source, headset)
        source.close()
    finally:
        host.close()
    assert host.pid is None


def _look(source: LslSource, headset: _Headset) -> list[EegChunk]:
    """Until some samples have come through."""
    seen: list[EegChunk] = []
    headset.pace()
    until_s = time.monotonic() + PATIENCE_S
    while sum(chunk.samples_uv.shape[1] for chunk in seen) < 64:
        assert time.monotonic() < until_s, "no sample comes through"
        headset.push_due()
        chunk = source.poll(0.05)
        if chunk is not None:
            seen.append(chunk)
    return seen


def test_an_outlet_that_hangs_costs_chunks_and_never_time() -> None:
    host = LslHost(f"host-{uuid.uuid4().hex[:8]}")
    try:
        host.push(HeadsetStatus("streaming", INFO))
        host.push(_chunk(0))
        assert host.pid is not None
        os.kill(host.pid, signal.SIGSTOP)
        begin = time.monotonic()
        for number in range(1, 1500):
            host.push(_chunk(number))
        assert time.monotonic() - begin < 15, "it hangs for ever"
        assert host.dropped > 100
    finally:
        host.close()
