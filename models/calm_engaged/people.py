"""Everyone's windows of rest and task as the running engine computes them, and the residue beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from acquisition.readers.npz_people import open_people
from acquisition.signal import BoolArray, FloatArray
from inference.baseline.baseline import MAD_TO_SD, Baseline, drawn_to
from inference.features.schemas import MIN_VARIANCE_UV2, band_power_uv2, schema_named
from inference.offline import FeatureSequence, feature_sequence
from inference.pipeline import PipelineSettings
from inference.preprocessing.front_end import FrontEnd
from models.datasets.against_rest import own_baseline
from models.errors import DatasetError

RESIDUE_HZ = (52.0, 62.0)
"""Above the filters' pass band, below the Nyquist frequency of 128 Hz: no brain signal a model may use."""
Change = Callable[[FloatArray, float], FloatArray]
"""Samples (n_channels, n) and their rate -> the same samples, disturbed."""


FIRST_S = 60.0
"""The rest against which disturbances are measured."""


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
    shifts: Mapping[str, FloatArray] = field(default_factory=dict)
    """By person what disturbances do to the mean of rest, (n, n_features), in the features' own unit."""
    tensions: Mapping[str, FloatArray] = field(default_factory=dict)
    """By person what muscle everywhere does to it, (n_levels, n_features)."""
    alone: bool = False
    """Told by bands of their own, not the schema's: a control hears them whatever a network listens to."""
    _rests: dict[str, tuple[FloatArray, FloatArray]] = field(default_factory=dict)
    _baselines: dict[tuple[str, str, float], Baseline] = field(default_factory=dict)

    @property
    def n_features(self) -> int:
        return int(self.people[0].rest.features.shape[1])

    def is_heard(self, hears_hz: tuple[float, float]) -> BoolArray:
        """Which features (n_features,) lie inside what a network listens to."""
        low, high = hears_hz
        inside = [low <= begin and end <= high for begin, end in schema_named(self.schema).bands]
        n = self.n_features
        return np.ones(n, dtype=np.bool_) if self.alone else np.tile(inside, n // len(inside))

    def disturbance(self, person: Person, scale: FloatArray) -> FloatArray:
        """How far disturbances move a person's z-scores: the mean square, (n_features, n_features)."""
        if person.name not in self.shifts:
            return np.zeros((self.n_features, self.n_features))
        moved = self.shifts[person.name] / self.baseline(person, "rest", FIRST_S, scale).scale
        result: FloatArray = moved.T @ moved
        return result

    def tensed(self, person: Person, scale: FloatArray) -> FloatArray:
        """By how much muscle moves a person's z-scores, (n_levels, n_features)."""
        if person.name not in self.tensions:
            return np.zeros((0, self.n_features))
        moved: FloatArray = self.tensions[person.name] / self.baseline(person, "rest", FIRST_S, scale).scale
        return moved

    def only(self, keep: Callable[[str], bool]) -> People:
        """The people whose names pass, and a population of their own."""
        chosen = tuple(person for person in self.people if keep(person.name))
        return replace(self, people=chosen, _rests={}, _baselines={})

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


def load_people(
    path: Path,
    channels: Sequence[str],
    schema: str,
    settings: PipelineSettings,
    change: Change = lambda samples_uv, _: samples_uv,
) -> People:
    """Read a people set, ``change`` having happened to all of it. Raises ``UnknownSourceError`` or
    ``DatasetError`` naming an electrode it lacks.
    """
    opened = open_people(path)
    lacking = [channel for channel in channels if channel not in opened.channels]
    if lacking:
        raise DatasetError(f"{path}: no electrode {lacking[0]}; there are {', '.join(opened.channels)}")
    rows = [opened.channels.index(channel) for channel in channels]
    people = []
    for name in opened.people:
        parts = []
        for state in ("rest", "arith"):
            samples_uv = change(opened.part_uv(f"{name}_{state}")[rows], opened.rate_hz)
            parts.append(feature_sequence(samples_uv, opened.rate_hz, channels, schema, settings).kept())
        people.append(Person(name, *parts))
    return People(tuple(people), tuple(channels), schema, settings.window_s, settings.hop_s)


def load_residue(
    path: Path,
    channels: Sequence[str],
    schema: str,
    settings: PipelineSettings,
    n_bands: int,
    hz: tuple[float, float] = RESIDUE_HZ,
) -> People:
    """The same people told by 52-62 Hz alone: the same regions, ``n_bands`` equal bands of that stretch.

    The recordings were cleaned file by file, so this residue tells the files apart for a model that may
    use it; a model that reads the brain cannot.
    """
    opened = open_people(path)
    rows = [opened.channels.index(channel) for channel in channels]
    edges = np.linspace(*hz, n_bands + 1)
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
    return People(tuple(people), tuple(channels), schema, settings.window_s, settings.hop_s, alone=True)
