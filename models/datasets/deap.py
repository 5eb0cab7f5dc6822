"""DEAP (Koelstra et al. 2012): 32 people, 40 one-minute music videos, ratings of 1 to 9.

Read are its preprocessed files, ``s01.dat`` .. ``s32.dat`` (Python) or ``s01.mat`` .. (MATLAB): ``data``
(40 trials, 40 channels, 8064 samples at 128 Hz, the first 3 s rest) and ``labels`` (40, 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.features.montages import DEAP_32
from models.datasets.mat_files import read_mat
from models.datasets.ratings import RATED_HEADS, rated_labels
from models.datasets.trial import DatasetInfo, Trial, need_files
from models.errors import DatasetError, ModelFileError
from models.files.inert_pickle import inert_load

PEOPLE = 32
SHAPE = (40, 40, 8064)
RATE_HZ = 128.0
BASELINE_S = 3.0
MAX_BYTES = 250_000_000

INFO = DatasetInfo(
    "deap",
    DEAP_32,
    RATE_HZ,
    "End User License Agreement of DEAP: academic use, not to be passed on",
    "Koelstra et al. 2012, IEEE Transactions on Affective Computing 3(1):18-31",
    RATED_HEADS,
    "ratings above 5 are high; the five labels are those of models/datasets/ratings.py",
    "quadrants on unseen people without leaks: 25-31 % (chance 25 %; LibEER). 75-90 % comes from windows of"
    " one trial in both halves.",
)


class Deap:
    """The folder of preprocessed files. ``people`` limits it to some, as ``("01", "07")``."""

    def __init__(self, folder: Path, people: Sequence[str] | None = None) -> None:
        numbers = people or tuple(f"{i:02}" for i in range(1, PEOPLE + 1))
        suffix = ".mat" if (folder / f"s{numbers[0]}.mat").is_file() else ".dat"
        self._paths = need_files(folder, [f"s{number}{suffix}" for number in numbers], "DEAP")

    @property
    def info(self) -> DatasetInfo:
        return INFO

    def trials(self) -> Iterator[Trial]:
        """40 trials a person, each with 3 s of rest before it."""
        for path in self._paths:
            data, labels = _read(path)
            for number in range(SHAPE[0]):
                valence, arousal = float(labels[number, 0]), float(labels[number, 1])
                yield Trial(
                    person=path.stem,
                    session="1",
                    number=number + 1,
                    samples_uv=np.asarray(data[number, : len(DEAP_32)], np.float64),
                    labels=rated_labels(valence, arousal, where=f"{path}, trial {number + 1}"),
                    baseline_s=BASELINE_S,
                    ratings={"valence": valence, "arousal": arousal},
                )


def _read(path: Path) -> tuple[Any, Any]:
    if path.suffix == ".mat":
        found = read_mat(path, ("data", "labels"))
    else:
        try:
            found = inert_load(path, max_bytes=MAX_BYTES)
        except ModelFileError as error:
            raise DatasetError(str(error)) from error
    if not isinstance(found, dict) or not {"data", "labels"} <= set(found):
        raise DatasetError(f"{path}: must hold data and labels")
    data, labels = np.asarray(found["data"]), np.asarray(found["labels"])
    if data.shape != SHAPE or labels.shape != (SHAPE[0], 4):
        raise DatasetError(
            f"{path}: data must be {SHAPE} and labels (40, 4), got {data.shape}, {labels.shape}"
        )
    return data, labels
