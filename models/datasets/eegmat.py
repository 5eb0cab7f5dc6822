"""Rest against mental arithmetic (Zyma et al. 2019): a people set of ``Sxx_rest`` and ``Sxx_arith``.

The first minute of a person's own rest is the baseline of both; it is in neither class.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from acquisition.port import UnknownSourceError
from acquisition.readers.npz_people import open_people
from models.datasets.trial import DatasetInfo, Trial
from models.errors import DatasetError

BASELINE_S = 60.0
BLOCK_S = 20.0
"""Length of the stretches that count as trials: the recordings themselves are one each."""


class Eegmat:
    """The ``.npz`` file. ``channels`` chooses electrodes by their 10-10 names (default: all)."""

    def __init__(self, path: Path, channels: tuple[str, ...] | None = None) -> None:
        try:
            self._people = open_people(path)
        except UnknownSourceError as error:
            raise DatasetError(str(error)) from error
        names = self._people.channels
        missing = [name for name in channels or () if name not in names]
        if missing:
            raise DatasetError(f"{path}: no electrode {missing[0]!r}, there are {', '.join(names)}")
        self._rows = [names.index(name) for name in channels or names]

    @property
    def info(self) -> DatasetInfo:
        return DatasetInfo(
            "eegmat",
            tuple(self._people.channels[row] for row in self._rows),
            self._people.rate_hz,
            "ODC-By 1.0",
            "Zyma et al. 2019, Data 4(1):14; EEG During Mental Arithmetic Tasks, PhysioNet",
            {"emotion": ("calm", "engaged")},
            "rest is calm, arithmetic is engaged: an axis like arousal, not happy against sad",
            "calm or engaged on unseen people, 4 electrodes, one window / 10 s / 30 s: 0.69 / 0.80 / 0.83",
        )

    def trials(self) -> Iterator[Trial]:
        """Blocks of 20 s; each is given with the person's own minute of rest before it."""
        rate_hz = self._people.rate_hz
        n_rest, n_block = round(BASELINE_S * rate_hz), round(BLOCK_S * rate_hz)
        for person in self._people.people:
            number = 0
            rest = self._people.part_uv(f"{person}_rest")[self._rows]
            task = self._people.part_uv(f"{person}_arith")[self._rows]
            for label, part in (("calm", rest[:, n_rest:]), ("engaged", task)):
                for start in range(0, part.shape[1] - n_block + 1, n_block):
                    number += 1
                    samples = np.concatenate([rest[:, :n_rest], part[:, start : start + n_block]], axis=1)
                    yield Trial(person, "1", number, samples, {"emotion": label}, BASELINE_S)
