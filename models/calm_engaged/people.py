"""Everyone's windows of rest and task as the running engine computes them, and the residue beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from acquisition.readers.npz_people import open_people
from acquisition.signal import FloatArray
from inference.baseline.baseline import MAD_TO_SD, Baseline, drawn_to
from inference.features.schemas import MIN_VARIANCE_UV2, band_power_uv2, schema_named
from inference.offline import FeatureSequence, feature_sequence
from inference.pipeline import PipelineSettings
from inference.preprocessing.front_end import FrontEnd
from models.datasets.against_rest import own_baseline

RESIDUE_HZ = (52.0, 62.0)
"""Above the filters' pass band, below the Nyquist frequency of 128 Hz: no brain signal a model may use."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One person's accepted windows of rest and of the task."""

    name: str
    rest: FeatureSequence
    task: FeatureSequence


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """All people, computed for one montage and schema."""

    people: tuple[Person, ...]
    channels: tuple[str, ...]
    schema: str
    window_s: float
    hop_s: float
    _rests: dict[str, tuple[FloatArray, FloatArray]] = field(default_factory=dict)
    _baselines: dict[tuple[str, str, float], Baseline] = field(default_factory=dict)

    @property
    def n_features(self) -> int:
        return int(self.people[0].rest.features.shape[1])

    def population(self, without: str = "") -> tuple[FloatArray, FloatArray]:
        """Centre and scale of rest over people, (n_features,) each: medians of each person's median and
        robust spread.
        """
        found = [self._rest_of(person) for person in self.people if person.name != without]
        centres, scales = zip(*found, strict=True)
        return np.nanmedian(centres, axis=0), np.nanmedian(scales, axis=0)

    def _rest_of(self, person: Person) -> tuple[FloatArray, FloatArray]:
        if person.name not in self._rests:
            rest = person.rest.features
            centre = np.nanmedian(rest, axis=0)
            spread = MAD_TO_SD * np.nanmedian(np.abs(rest - centre), axis=0)
            self._rests[person.name] = (centre, spread)
        return self._rests[person.name]

    def baseline(self, person: Person, state: str, seconds: float, scale: FloatArray) -> Baseline:
        """The live engine's baseline over the first ``seconds`` of a person's ``rest`` or ``task``.

        ``scale`` (n_features,) is the population's. The person's own part does not depend on it and is kept.
        """
        key = (person.name, state, seconds)
        if key not in self._baselines:
            part: FeatureSequence = getattr(person, state)
            self._baselines[key] = own_baseline(part, seconds, schema=self.schema, channels=self.channels)
        own = self._baselines[key]
        return replace(own, scale=drawn_to(scale, own.scale))


def load_people(path: Path, channels: Sequence[str], schema: str, settings: PipelineSettings) -> People:
    """Read a people set. Raises ``UnknownSourceError`` or ``ValueError`` naming an electrode it lacks."""
    opened = open_people(path)
    lacking = [channel for channel in channels if channel not in opened.channels]
    if lacking:
        raise ValueError(f"{path}: no electrode {lacking[0]}; there are {', '.join(opened.channels)}")
    rows = [opened.channels.index(channel) for channel in channels]
    people = []
    for name in opened.people:
        parts = []
        for state in ("rest", "arith"):
            samples_uv = opened.part_uv(f"{name}_{state}")[rows]
            parts.append(feature_sequence(samples_uv, opened.rate_hz, channels, schema, settings).kept())
        people.append(Person(name, *parts))
    return People(tuple(people), tuple(channels), schema, settings.window_s, settings.hop_s)


def load_residue(
    path: Path, channels: Sequence[str], schema: str, settings: PipelineSettings, n_bands: int
) -> People:
    """The same people told by 52-62 Hz alone: the same regions, ``n_bands`` equal bands of that stretch.

    The recordings were cleaned file by file, so this residue tells the files apart for a model that may
    use it; a model that reads the brain cannot.
    """
    opened = open_people(path)
    rows = [opened.channels.index(channel) for channel in channels]
    edges = np.linspace(*RESIDUE_HZ, n_bands + 1)
    bands = tuple(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    regions = schema_named(schema).regions(channels)
    people = []
    for name in opened.people:
        parts = []
        for state in ("rest", "arith"):
            front = FrontEnd(opened.rate_hz, len(channels), settings)
            samples_uv = opened.part_uv(f"{name}_{state}")[rows]
            times_s = np.arange(samples_uv.shape[1]) / opened.rate_hz
            ends, features = [], []
            for window in front.push(samples_uv, times_s):
                power = np.maximum(band_power_uv2(window.raw_uv, opened.rate_hz, bands), MIN_VARIANCE_UV2)
                entropy = 0.5 * np.log(2 * np.pi * np.e * power)
                means = [entropy[[channels.index(c) for c in region]].mean(axis=0) for region in regions]
                ends.append(window.end_s)
                features.append(np.concatenate(means))
            windows = FeatureSequence.of_accepted(np.array(ends), np.stack(features), settings.window_s)
            parts.append(windows)
        people.append(Person(name, *parts))
    return People(tuple(people), tuple(channels), schema, settings.window_s, settings.hop_s)
