"""People with rest, a calm and an engaged state, however their set is published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from acquisition.readers.npz_people import PeopleSet, open_people
from acquisition.signal import FloatArray
from inference.offline import FeatureSequence
from models.datasets.bids.folder import BidsPeople, open_bids
from models.datasets.bids.protocols import State
from models.errors import DatasetError

SCORED_AFTER_S = 60.0
"""Rest is scored from here on whatever the baseline's length, so that lengths can be compared."""
MIN_SCORED_S = 10.0
BIDS = "bids:"
ReadFeatures = Callable[[FloatArray, float], FeatureSequence]
"""Samples (n_electrodes, n) in microvolts and their rate -> windows, as the engine computes them."""


@dataclass(frozen=True, slots=True, eq=False)
class StateWindows:
    """``rest`` begins with what the baseline is taken from; ``scored`` holds windows (n, n_features) of
    ``rest`` and ``arith`` (calm and engaged) that the baseline has no part in.
    """

    rest: FeatureSequence
    scored: Mapping[str, FloatArray]


class StatePeople(Protocol):
    """A set that has been opened."""

    @property
    def path(self) -> Path: ...
    @property
    def people(self) -> tuple[str, ...]: ...
    @property
    def channels(self) -> tuple[str, ...]: ...
    @property
    def left_out(self) -> Mapping[str, str]:
        """Who cannot be scored, and why."""
        ...

    def windows(
        self, name: str, electrodes: tuple[str, ...], read: ReadFeatures, baseline_s: float
    ) -> StateWindows:
        """One person's windows of these electrodes. Raises ``DatasetError``, ``UnknownSourceError``."""
        ...

    def first_uv(self, name: str, electrode: str) -> FloatArray:
        """The samples (n,) of a person's first recording, by which the person is known again."""
        ...


def open_state_people(data: Path) -> StatePeople:
    """An ``.npz`` of people, or ``bids:FOLDER``. Raises ``DatasetError`` and ``UnknownSourceError``."""
    text = str(data)
    if text.startswith(BIDS):
        return BidsStatePeople(open_bids(Path(text.removeprefix(BIDS)).expanduser()))
    return NpzStatePeople(open_people(data))


class NpzStatePeople:
    """``Sxx_rest`` and ``Sxx_arith``."""

    def __init__(self, found: PeopleSet) -> None:
        self._found = found
        self.path, self.people, self.channels = found.path, found.people, found.channels
        self.left_out: dict[str, str] = {}

    def windows(
        self, name: str, electrodes: tuple[str, ...], read: ReadFeatures, baseline_s: float
    ) -> StateWindows:
        """Rest after the baseline, and all of the task."""
        rows = [self.channels.index(electrode) for electrode in electrodes]
        rest, task = (
            read(self._found.part_uv(f"{name}_{part}")[rows], self._found.rate_hz)
            for part in ("rest", "arith")
        )
        return StateWindows(rest, {"rest": _after(rest, baseline_s), "arith": task.clean()})

    def first_uv(self, name: str, electrode: str) -> FloatArray:
        """The rest, (n,)."""
        samples_uv: FloatArray = self._found.part_uv(f"{name}_rest")[self.channels.index(electrode)]
        return samples_uv


class BidsStatePeople:
    """A BIDS folder. What it has of rest is the baseline; where it has none, the first of the calm is."""

    def __init__(self, found: BidsPeople) -> None:
        self._found = found
        self.path, self.people, self.channels = found.path, found.people, found.channels
        self.left_out = found.left_out

    def windows(
        self, name: str, electrodes: tuple[str, ...], read: ReadFeatures, baseline_s: float
    ) -> StateWindows:
        """Every accepted window that lies wholly inside a stretch, in the order of recordings and time."""
        parts: dict[State, list[FloatArray]] = {"rest": [], "calm": [], "engaged": []}
        window_s = hop_s = 0.0
        for recording in self._found.recordings[name]:
            opened = recording.open()
            rows = [opened.info.channels.index(electrode) for electrode in electrodes]
            sequence = read(opened.samples_uv[rows], opened.info.rate_hz)
            window_s = sequence.window_s
            hop_s = float(np.median(np.diff(sequence.end_s))) if len(sequence.end_s) > 1 else hop_s
            for stretch in recording.stretches:
                parts[stretch.state].append(sequence.clean(stretch.start_s, stretch.end_s))
        rest, calm, engaged = (_joined(parts[state]) for state in ("rest", "calm", "engaged"))
        own = _in_sequence(rest if len(rest) else calm, window_s, hop_s)
        return StateWindows(own, {"rest": calm if len(rest) else _after(own, baseline_s), "arith": engaged})

    def first_uv(self, name: str, electrode: str) -> FloatArray:
        """The first recording, (n,)."""
        opened = self._found.recordings[name][0].open()
        if electrode not in opened.info.channels:
            raise DatasetError(f"{self._found.recordings[name][0].path}: no electrode {electrode}")
        samples_uv: FloatArray = opened.samples_uv[opened.info.channels.index(electrode)]
        return samples_uv


def _after(rest: FeatureSequence, baseline_s: float) -> FloatArray:
    """Rest after a minute, or after the baseline where so little rest was recorded."""
    last_s = float(rest.end_s[-1]) if len(rest.end_s) else 0.0
    usual_s = max(SCORED_AFTER_S, baseline_s)
    return rest.clean(usual_s if last_s >= usual_s + MIN_SCORED_S else baseline_s)


def _joined(parts: list[FloatArray]) -> FloatArray:
    return np.concatenate(parts) if parts else np.zeros((0, 0))


def _in_sequence(features: FloatArray, window_s: float, hop_s: float) -> FeatureSequence:
    """Windows (n, n_features) of several stretches, as if they had been recorded one after the other."""
    end_s: FloatArray = window_s + hop_s * np.arange(len(features), dtype=np.float64)
    return FeatureSequence.of_accepted(end_s, features, window_s)
