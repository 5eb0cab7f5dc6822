"""Puts any source's time stamps onto one steady, rising line, and counts what is missing.

Pure: it knows only the stamps and the nominal rate. A phase-locked line follows the device's drift; jitter
of single stamps (Bluetooth packets come in bursts) is smoothed; a real hole becomes a ``Gap``; a jump of
the device's clock is re-anchored, so that windows never see it.
"""

from __future__ import annotations

import numpy as np

from acquisition.signal import EegChunk, FloatArray, Gap

JITTER_S = 0.15
"""Stamps this far from the line are jitter; beyond it samples are missing."""
JUMP_S = 30.0
"""A hole longer than this is taken for a jump of the device's clock, not for lost samples."""
FOLLOW = 0.02
"""Share of a chunk's phase error that is corrected (a time constant of some fifty chunks)."""


class Timeline:
    """Cleans one stream of ``rate_hz``."""

    def __init__(self, rate_hz: float) -> None:
        self._period_s = 1 / rate_hz
        self._rate_hz = rate_hz
        self._last_s: float | None = None
        self._offset_s = 0.0
        self._newest_raw_s = -np.inf

    def push(self, chunk: EegChunk) -> list[EegChunk | Gap]:
        """What the chunk amounts to: perhaps a gap, then the samples that are new."""
        raw_s, samples_uv = self._fresh(chunk)
        if not len(raw_s):
            return []
        items: list[EegChunk | Gap] = []
        n = len(raw_s)
        if self._last_s is None:
            self._last_s = float(raw_s[0]) - self._period_s
        # judged by the chunk's last sample: a burst's earlier stamps are squeezed, its last is the truest
        error_s = float(raw_s[-1]) + self._offset_s - (self._last_s + n * self._period_s)
        if error_s > JUMP_S or error_s < -JUMP_S:
            items.append(Gap(self._last_s, self._last_s + self._period_s, 0, "clock_jump"))
            self._offset_s -= error_s
            error_s = 0.0
        elif error_s > JITTER_S:
            missing = round(error_s * self._rate_hz)
            items.append(Gap(self._last_s, self._last_s + missing * self._period_s, missing, "lost"))
            self._last_s += missing * self._period_s
            error_s -= missing * self._period_s
        step_s = self._period_s + FOLLOW * float(np.clip(error_s, -JITTER_S, JITTER_S)) / n
        times_s: FloatArray = self._last_s + step_s * np.arange(1, n + 1, dtype=np.float64)
        self._last_s = float(times_s[-1])
        items.append(EegChunk(samples_uv, times_s, chunk.battery_percent))
        return items

    def reconnected(self, lost_s: float) -> Gap | None:
        """Mark that the stream was opened anew after ``lost_s`` seconds; its clock may be another one."""
        if self._last_s is None:
            return None
        missing = max(0, round(lost_s * self._rate_hz))
        gap = Gap(self._last_s, self._last_s + missing * self._period_s, missing, "reconnect")
        self._last_s = gap.end_s
        self._newest_raw_s = -np.inf
        self._reanchor = True
        return gap

    _reanchor = False

    def _fresh(self, chunk: EegChunk) -> tuple[FloatArray, FloatArray]:
        """Samples in order of their stamps, without those that were seen before."""
        raw_s = np.asarray(chunk.times_s, dtype=np.float64)
        usable = np.isfinite(raw_s)
        order = np.argsort(raw_s[usable], kind="stable")
        raw_s, samples_uv = raw_s[usable][order], chunk.samples_uv[:, usable][:, order]
        if len(raw_s) > 1:
            same = np.concatenate([[False], np.diff(raw_s) == 0])
            same[1:] &= (samples_uv[:, 1:] == samples_uv[:, :-1]).all(axis=0)
            raw_s, samples_uv = raw_s[~same], samples_uv[:, ~same]
        if len(raw_s) and raw_s[-1] < self._newest_raw_s - JUMP_S:
            self._newest_raw_s = -np.inf
        new = raw_s > self._newest_raw_s
        raw_s, samples_uv = raw_s[new], samples_uv[:, new]
        if len(raw_s):
            self._newest_raw_s = float(raw_s[-1])
            if self._reanchor and self._last_s is not None:
                self._offset_s = self._last_s + len(raw_s) * self._period_s - float(raw_s[-1])
                self._reanchor = False
        return raw_s, samples_uv
