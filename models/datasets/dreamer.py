"""DREAMER (Katsigiannis and Ramzan 2018): 23 people, 18 film clips, ratings of 1 to 5, an Emotiv EPOC.

Read is ``DREAMER.mat``: ``DREAMER.Data{p}.EEG.baseline{t}`` and ``.stimuli{t}`` of shape (n, 14) at 128 Hz,
``ScoreValence`` and ``ScoreArousal`` (18,).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from models.datasets.mat_files import read_mat
from models.datasets.ratings import RATED_HEADS, rated_labels
from models.datasets.trial import DatasetInfo, Trial
from models.errors import DatasetError

CHANNELS = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
RATE_HZ = 128.0
EPOC_OFFSET_UV = 4100.0
"""The EPOC's values sit on an offset of about 4 100 uV, which the filters remove."""

INFO = DatasetInfo(
    "dreamer",
    CHANNELS,
    RATE_HZ,
    "End User License Agreement of DREAMER: non-commercial research, not to be passed on",
    "Katsigiannis and Ramzan 2018, IEEE Journal of Biomedical and Health Informatics 22(1):98-107",
    RATED_HEADS,
    "ratings of 1..5 are stretched to 1..9 before they are divided",
    "valence or arousal in two classes on unseen people without leaks: near chance (50-60 %)",
)


class Dreamer:
    """The one file, or the folder it lies in."""

    def __init__(self, path: Path) -> None:
        self._path = path / "DREAMER.mat" if path.is_dir() else path
        if not self._path.is_file():
            raise DatasetError(f"{self._path}: no such file (DREAMER)")

    @property
    def info(self) -> DatasetInfo:
        return INFO

    def trials(self) -> Iterator[Trial]:
        """18 trials a person, each with its own minute of rest before it. Raises ``DatasetError``."""
        root = read_mat(self._path, ("DREAMER",), squeeze_me=True, struct_as_record=False).get("DREAMER")
        try:
            people = np.atleast_1d(root.Data)  # type: ignore[union-attr]
            for number, person in enumerate(people, 1):
                yield from self._person(f"{number:02}", person)
        except AttributeError as error:
            raise DatasetError(f"{self._path}: not DREAMER's structure: {error}") from None

    def _person(self, name: str, person: Any) -> Iterator[Trial]:
        rest, clips = np.atleast_1d(person.EEG.baseline), np.atleast_1d(person.EEG.stimuli)
        valence, arousal = np.atleast_1d(person.ScoreValence), np.atleast_1d(person.ScoreArousal)
        if not len(rest) == len(clips) == len(valence) == len(arousal):
            raise DatasetError(
                f"{self._path}: person {name} has {len(clips)} clips and {len(valence)} ratings"
            )
        for i in range(len(clips)):
            where = f"{self._path}, person {name}, clip {i + 1}"
            before, during = (np.asarray(part, np.float64) for part in (rest[i], clips[i]))
            if before.ndim != 2 or during.ndim != 2 or before.shape[1] != 14 or during.shape[1] != 14:
                raise DatasetError(f"{where}: must have 14 columns, got {before.shape} and {during.shape}")
            v, a = float(valence[i]), float(arousal[i])
            yield Trial(
                name,
                "1",
                i + 1,
                np.concatenate([before, during]).T - EPOC_OFFSET_UV,
                rated_labels(v, a, where=where, low=1, high=5),
                len(before) / RATE_HZ,
                {"valence": v, "arousal": a},
            )
