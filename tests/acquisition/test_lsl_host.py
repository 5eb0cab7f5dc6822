"""Hosting: another program sees the EEG as an LSL stream, and a fault of the outlet reaches nobody."""

from __future__ import annotations

import os
import signal
import time
import uuid

import numpy as np
import psutil
from waiting import PATIENCE_S, wait_until

from acquisition.lsl_host import LslHost
from acquisition.lsl_source import LslSource
from acquisition.port import AbsentError
from acquisition.signal import EegChunk, HeadsetStatus, StreamInfo

INFO = StreamInfo("test", "a headset", ("TP9", "AF7", "AF8", "TP10"), 256.0, simulated=True)


def _chunk(number: int) -> EegChunk:
    index = np.arange(number * 16, number * 16 + 16, dtype=np.float64)
    return EegChunk(np.stack([index, -index, index / 2, index * 0 + 7]), 5000 + index / 256)


def _open(name: str, host: LslHost, begin: int) -> tuple[LslSource, int]:
    """Push at the pace of a headset until somebody can look on."""
    source, number = LslSource(name), begin
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        for _ in range(8):
            host.push(_chunk(number))
            number += 1
        try:
            info = source.open()
        except AbsentError:
            continue
        assert info.channels == INFO.channels
        assert info.rate_hz == 256.0
        assert info.simulated, "whoever reads what a simulated wearer's session offers is told so"
        return source, number
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
        source, number = _open(name, host, 0)
        seen = _look(source, host, number)
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
        source, number = _open(name, host, 2)
        assert host.pid != pid
        assert _look(source, host, number)
        source.close()
    finally:
        host.close()
    assert host.pid is None


def _look(source: LslSource, host: LslHost, number: int) -> list[EegChunk]:
    """Until some samples have come through."""
    seen: list[EegChunk] = []
    until_s = time.monotonic() + PATIENCE_S
    while sum(chunk.samples_uv.shape[1] for chunk in seen) < 64:
        assert time.monotonic() < until_s, "no sample comes through"
        host.push(_chunk(number))
        number += 1
        chunk = source.poll(0.05)
        if chunk is not None:
            seen.append(chunk)
        time.sleep(0.02)
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
