"""Examples for a network out of trials, by the very filters, windows and features that run live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from acquisition.signal import FloatArray
from inference.features.schemas import schema_named
from inference.offline import feature_sequence
from inference.pipeline import PipelineSettings
from inference.preprocessing.filters import CascadeFilter, band_sections
from inference.preprocessing.resampling import Resampler
from models.datasets.against_rest import against_rest, filled_from_others, runs_of
from models.datasets.trial import DatasetInfo, Trial, TrialSource
from models.errors import DatasetError
from models.networks.input_layout import InputLayout

Kind = Literal["features", "raw"]


@dataclass(frozen=True, slots=True)
class ExampleSettings:
    """``sequence`` consecutive windows make one example (1 for single windows); ``raw`` gives samples."""

    kind: Kind = "features"
    schema: str = "de5@1"
    window_s: float = 2.0
    hop_s: float = 1.0
    sequence: int = 1
    rate_hz: float = 128.0
    mains_hz: float | None = 50.0


@dataclass(frozen=True, slots=True, eq=False)
class EmotionDataset:
    """X (n, ...), labels by head (n,), and for each example its person and its trial.

    ``layout`` says what the axes of X mean; ``left_out`` how many windows the quality gate refused.
    """

    info: DatasetInfo
    settings: ExampleSettings
    X: NDArray[np.float32]
    y: dict[str, NDArray[Any]]
    groups: NDArray[Any]
    trials: NDArray[Any]
    sessions: NDArray[Any]
    layout: InputLayout
    left_out: int

    @property
    def input_shape(self) -> tuple[int, ...]:
        return tuple(self.X.shape[1:])

    def heads(self, names: tuple[str, ...]) -> dict[str, int]:
        """Classes by head of those named. Raises ``DatasetError`` for a head the set has not."""
        missing = [name for name in names if name not in self.info.labels]
        if missing:
            raise DatasetError(
                f"{self.info.name} has no {missing[0]!r}: one of {', '.join(self.info.labels)}"
            )
        return {name: len(self.info.labels[name]) for name in names}


def build_examples(
    source: TrialSource,
    settings: ExampleSettings = ExampleSettings(),
    progress: Callable[[Trial], None] = lambda _: None,
) -> EmotionDataset:
    """Read every trial and compute its examples. Raises ``DatasetError`` where there are none.

    The filters start cold at the beginning of a trial's rest (or of the trial), so that its first window is
    left out where no rest comes before.
    """
    parts: list[FloatArray] = []
    owners: list[Trial] = []
    refused = 0
    for trial in source.trials():
        progress(trial)
        made, left_out = _examples(trial, source.info, settings)
        refused += left_out
        parts.append(made)
        owners += [trial] * len(made)
    if not owners:
        raise DatasetError(f"{source.info.name}: no window was good enough to be an example")
    labels = {head: np.array([trial.labels[head] for trial in owners]) for head in owners[0].labels}
    people = np.array([trial.person for trial in owners])
    return EmotionDataset(
        source.info,
        settings,
        filled_from_others(np.concatenate(parts), people).astype(np.float32),
        labels,
        people,
        np.array([trial.key for trial in owners]),
        np.array([f"{trial.person}/{trial.session}" for trial in owners]),
        layout_of(source.info, settings),
        refused,
    )


def layout_of(info: DatasetInfo, settings: ExampleSettings) -> InputLayout:
    """Axes of an example: electrodes by bands, or samples, with time in front where there is a sequence."""
    if settings.kind == "raw":
        samples = round(settings.window_s * settings.rate_hz)
        return InputLayout(("electrode", "sample"), (len(info.channels), samples))
    schema = schema_named(settings.schema)
    n_values = schema.length(info.channels)
    regions = len(schema.regions(info.channels))
    by_band = n_values == regions * len(schema.bands)
    inner = (regions, len(schema.bands)) if by_band else (n_values,)
    axes: tuple[Any, ...] = ("electrode", "band") if by_band else ("feature",)
    if settings.sequence > 1:
        return InputLayout(("time", *axes), (settings.sequence, *inner))
    return InputLayout(axes, inner)


def _examples(trial: Trial, info: DatasetInfo, settings: ExampleSettings) -> tuple[FloatArray, int]:
    if settings.kind == "raw":
        return _raw_windows(trial, info, settings), 0
    pipeline = PipelineSettings(
        window_s=settings.window_s,
        hop_s=settings.hop_s,
        model_rate_hz=settings.rate_hz,
        mains_hz=settings.mains_hz,
    )
    schema, channels = settings.schema, info.channels
    try:
        found = feature_sequence(trial.samples_uv, info.rate_hz, channels, schema, pipeline, lost=trial.lost)
    except ValueError as error:
        raise DatasetError(f"{info.name}, {trial.key}: {error}") from error
    values = against_rest(found, trial.baseline_s, schema=schema, channels=channels)
    inside = found.inside(trial.baseline_s or settings.window_s)
    runs = runs_of(found, values, inside & found.accepted, settings.sequence)
    return runs.reshape(len(runs), settings.sequence * values.shape[1]), int(np.sum(inside & ~found.accepted))


def _raw_windows(trial: Trial, info: DatasetInfo, settings: ExampleSettings) -> FloatArray:
    """Filtered windows (n, n_channels, n_samples) less each channel's mean at rest."""
    times_s = np.arange(trial.samples_uv.shape[1]) / info.rate_hz
    resampler = Resampler(info.rate_hz, settings.rate_hz, len(info.channels))
    samples, at_s = resampler.process(np.nan_to_num(trial.samples_uv), times_s)
    sections = band_sections(settings.rate_hz, settings.mains_hz)
    filtered = CascadeFilter(sections, len(info.channels)).process(samples)
    length, hop = round(settings.window_s * settings.rate_hz), round(settings.hop_s * settings.rate_hz)
    first = int(np.searchsorted(at_s, trial.baseline_s or settings.window_s))
    if first > 0:
        filtered = filtered - filtered[:, :first].mean(axis=1, keepdims=True)
    starts = range(first, filtered.shape[1] - length + 1, hop)
    windows = [filtered[:, start : start + length] for start in starts]
    return np.stack(windows) if windows else np.zeros((0, len(info.channels), length))
