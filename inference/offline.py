"""The live front end run over a whole recording: what training and evaluation compute features with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acquisition.signal import FloatArray
from inference.features.schemas import FeatureExtractor, schema_named
from inference.features.spectrum import spectrum_of
from inference.pipeline import PipelineSettings
from inference.preprocessing.front_end import FrontEnd
from inference.preprocessing.quality import judge_window

CHUNK = 4096


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSequence:
    """Windows of one recording: end times (n,), features (n, n_features), accepted by the gate (n,)."""

    end_s: FloatArray
    features: FloatArray
    accepted: FloatArray


def feature_sequence(
    samples_uv: FloatArray,
    rate_hz: float,
    channels: Sequence[str],
    schema: str,
    settings: PipelineSettings | None = None,
) -> FeatureSequence:
    """Features of samples (n_channels, n_samples) exactly as the running engine computes them."""
    settings = settings or PipelineSettings()
    extract = FeatureExtractor(schema_named(schema), channels, settings.model_rate_hz)
    front = FrontEnd(rate_hz, len(channels), settings)
    times_s = np.arange(samples_uv.shape[1]) / rate_hz
    ends: list[float] = []
    rows: list[FloatArray] = []
    accepted: list[float] = []
    for start in range(0, samples_uv.shape[1], CHUNK):
        part = slice(start, start + CHUNK)
        for window in front.push(samples_uv[:, part], times_s[part]):
            spectrum = spectrum_of(window.filtered_uv, settings.model_rate_hz)
            gate = judge_window(
                tuple(channels),
                spectrum,
                window.raw_uv,
                raw_rate_hz=rate_hz,
                end_s=window.end_s,
                finite=window.finite,
            )
            ends.append(window.end_s)
            rows.append(extract.of(spectrum, gate.usable(extract.schema.bands)))
            accepted.append(float(gate.accepted))
    n_features = schema_named(schema).length(channels)
    features = np.stack(rows) if rows else np.zeros((0, n_features))
    return FeatureSequence(np.array(ends), features, np.array(accepted))
