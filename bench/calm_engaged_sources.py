"""The people as each row of the table sees them, kept in a folder because a table asks for them often."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from acquisition.signal import FloatArray
from inference.features.schemas import schema_named
from inference.offline import FeatureSequence
from inference.pipeline import PipelineSettings
from models.calm_engaged.montages import ShippedMontage
from models.calm_engaged.people import People, Person, load_people, load_residue

RESIDUE_BANDS = 5


class Sources:
    """Loads people, and the same people told by 52-62 Hz; with ``cache`` computed once."""

    def __init__(self, data: Path, cache: Path | None) -> None:
        self._data, self._cache = data, cache
        self._held: dict[object, People] = {}

    def people(self, montage: ShippedMontage, schema: str, window_s: float, relative: bool) -> People:
        """Everyone's features, as shares of power where ``relative``."""
        settings = PipelineSettings(window_s=window_s)
        found = self._get(
            (montage.name, schema, window_s),
            lambda: load_people(self._data, montage.channels, schema, settings),
        )
        return shares(found) if relative else found

    def residue(self, montage: ShippedMontage, schema: str, window_s: float, relative: bool) -> People:
        """The same people, regions and windows by 52-62 Hz alone."""
        settings = PipelineSettings(window_s=window_s)
        found = self._get(
            (montage.name, schema, window_s, "residue"),
            lambda: load_residue(self._data, montage.channels, schema, settings, RESIDUE_BANDS),
        )
        return shares(found, RESIDUE_BANDS) if relative else found

    def _get(self, key: tuple[object, ...], load: Callable[[], People]) -> People:
        if key not in self._held:
            self._held[key] = self._stored(key, load)
        return self._held[key]

    def _stored(self, key: tuple[object, ...], load: Callable[[], People]) -> People:
        if self._cache is None:
            return load()
        path = self._cache / f"{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}.npz"
        if not path.exists():
            people = load()
            path.parent.mkdir(parents=True, exist_ok=True)
            arrays = {
                f"{p.name}/{state}/{what}": getattr(getattr(p, state), what)
                for p in people.people
                for state in ("rest", "task")
                for what in ("end_s", "features")
            }
            np.savez(
                path, names=np.array([p.name for p in people.people]), channels=people.channels, **arrays
            )
            return people
        with np.load(path, allow_pickle=False) as held:
            parts = {
                name: [
                    FeatureSequence.of_accepted(
                        held[f"{name}/{s}/end_s"], held[f"{name}/{s}/features"], float(key[2])
                    )
                    for s in ("rest", "task")
                ]
                for name in held["names"].tolist()
            }
            channels = tuple(held["channels"].tolist())
        people = tuple(Person(name, rest, task) for name, (rest, task) in parts.items())
        return People(people, channels, str(key[1]), float(key[2]), PipelineSettings().hop_s)  # type: ignore[arg-type]


def shares(people: People, n_bands: int | None = None) -> People:
    """Each band's share of the power of all bands of its region, still as entropy (half a log of power)."""
    n_bands = n_bands or len(schema_named(people.schema).bands)

    def of(part: FeatureSequence) -> FeatureSequence:
        by_region = part.features.reshape(len(part.features), -1, n_bands)
        total = 0.5 * np.log(np.nansum(np.exp(2 * by_region), axis=2, keepdims=True))
        shared: FloatArray = (by_region - total).reshape(part.features.shape)
        return replace(part, features=shared)

    return replace(
        people,
        people=tuple(Person(p.name, of(p.rest), of(p.task)) for p in people.people),
        _rests={},
        _baselines={},
    )
