"""The live front end run over a whole recording: what training and evaluation compute features with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquisition.signal import BoolArray, EegChunk, FloatArray
from acquisition.stream.timeline import BRIDGE_S
from inference.features.schemas import schema_named
from inference.pipeline import PipelineSettings
from inference.preprocessing.front_end import FrontEnd
from inference.window_reader import WindowRead, WindowReader

CHUNK = 4096
EDGE_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSequence:
    """Windows of one recording: end times (n,), features (n, n_features), accepted by the gate (n,), and the
    number of gaps before each (n,).
    """

    end_s: FloatArray
    features: FloatArray
    accepted: BoolArray
    window_s: float
    gaps: NDArray[np.intp]

    @classmethod
    def of_accepted(cls, end_s: FloatArray, features: FloatArray, window_s: float) -> FeatureSequence:
        """Windows that are good, without a gap: end times (n,) and features (n, n_features)."""
        n = len(end_s)
        return cls(end_s, features, np.ones(n, dtype=np.bool_), window_s, np.zeros(n, dtype=np.intp))

    def kept(self) -> FeatureSequence:
        """The accepted windows alone."""
        a = self.accepted
        return FeatureSequence(self.end_s[a], self.features[a], a[a], self.window_s, self.gaps[a])

    def inside(self, start_s: float, end_s: float = np.inf) -> BoolArray:
        """Which windows (n,) lie wholly inside the stretch.

        A window ends with its last sample, a period before ``window_s`` is over: one that begins at
        ``start_s`` itself is left out, such as the first of a recording, in which the filters are cold.
        """
        begin_s = self.end_s - self.window_s
        within: BoolArray = (begin_s >= start_s - EDGE_S) & (self.end_s <= end_s + EDGE_S)
        return within

    def clean(self, start_s: float = -np.inf, end_s: float = np.inf) -> FloatArray:
        """Features (n, n_features) of the accepted windows of a stretch; of all, where none is given."""
        chosen: FloatArray = self.features[self.inside(start_s, end_s) & self.accepted]
        return chosen


def feature_sequence(
    samples_uv: FloatArray,
    rate_hz: float,
    channels: Sequence[str],
    schema: str,
    settings: PipelineSettings | None = None,
    *,
    electrodes: Sequence[str] | None = None,
    lost: BoolArray | None = None,
) -> FeatureSequence:
    """Features of samples (n_channels, n_samples) in microvolts exactly as the running engine computes them.

    ``electrodes`` are those that sit where ``channels`` are read; ``lost`` (n_samples,) marks samples that
    were interpolated. Columns without any number are holes, and are bridged or begun anew after as live.
    """
    settings = settings or PipelineSettings()
    reader = WindowReader(schema, channels, rate_hz, settings.model_rate_hz, electrodes=electrodes)
    front = FrontEnd(rate_hz, len(channels), settings)
    read: list[WindowRead] = []
    gaps: list[int] = []
    n_gaps = 0
    for chunk in as_live(samples_uv, rate_hz, lost):
        if chunk is None:
            front.reset()
            n_gaps += 1
        else:
            windows = front.push(chunk.samples_uv, chunk.times_s, chunk.interpolated)
            read += [reader.read(window) for window in windows]
            gaps += [n_gaps] * (len(read) - len(gaps))
    n_features = schema_named(schema).length(channels)
    return FeatureSequence(
        np.array([one.end_s for one in read]),
        np.stack([one.features for one in read]) if read else np.zeros((0, n_features)),
        np.array([one.accepted for one in read], dtype=np.bool_),
        settings.window_s,
        np.array(gaps, dtype=np.intp),
    )


def as_live(
    samples_uv: FloatArray, rate_hz: float, lost: BoolArray | None = None
) -> Iterator[EegChunk | None]:
    """Samples (n_channels, n_samples) as the engine's timeline would pass them on; None is a gap.

    Columns without any number never came: few in a row are interpolated and marked, more are a gap.
    """
    n = samples_uv.shape[1]
    times_s = np.arange(n) / rate_hz
    lost = np.zeros(n, dtype=np.bool_) if lost is None else lost.copy()
    there = np.isfinite(samples_uv).any(axis=0)
    edges = np.flatnonzero(np.diff(there.astype(np.int8), prepend=0, append=0))
    stretches = edges.reshape(-1, 2).tolist()
    if len(stretches) > 1:
        samples_uv = samples_uv.copy()
    begin = 0
    for place, (start, end) in enumerate(stretches):
        before = stretches[place - 1][1] if place else 0
        if place and start - before > max(1.0, BRIDGE_S * rate_hz):
            yield None
            begin = start
        elif place:
            share = np.arange(1, start - before + 1) / (start - before + 1)
            first_uv, next_uv = samples_uv[:, [before - 1]], samples_uv[:, [start]]
            samples_uv[:, before:start] = first_uv + (next_uv - first_uv) * share
            lost[before:start] = True
        else:
            begin = start
        for first in range(begin, end, CHUNK):
            part = slice(first, min(end, first + CHUNK))
            yield EegChunk(samples_uv[:, part], times_s[part], interpolated=lost[part])
        begin = end
