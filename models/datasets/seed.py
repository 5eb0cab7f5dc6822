"""SEED (Zheng and Lu 2015): 15 people, 3 sessions of 15 film clips: positive, neutral, negative.

Read is ``Preprocessed_EEG``: ``1_20131027.mat`` and so on, each with ``xyz_eeg1`` .. ``xyz_eeg15`` of shape
(62, n) at 200 Hz and unequal lengths, beside ``label.mat``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from inference.features.montages import SEED_62
from models.datasets.mat_files import mat_names, read_mat
from models.datasets.trial import DatasetInfo, Trial
from models.errors import DatasetError

PEOPLE, SESSIONS, CLIPS = 15, 3, 15
RATE_HZ = 200.0
TRUE_ORDER = (1, 0, -1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 0, 1, -1)
"""Label of each clip as the authors give it; other orders found in public code are wrong."""
NAMES = {-1: "negative", 0: "neutral", 1: "positive"}
_FILE = re.compile(r"(\d{1,2})_(\d{8})\.mat")
_CLIP = re.compile(r"[A-Za-z]+_eeg(\d{1,2})")

INFO = DatasetInfo(
    "seed",
    SEED_62,
    RATE_HZ,
    "licence agreement of SEED (BCMI, Shanghai Jiao Tong University): academic use, not to be passed on",
    "Zheng and Lu 2015, IEEE Transactions on Autonomous Mental Development 7(3):162-175",
    {"emotion": ("negative", "neutral", "positive")},
    "trials are ordered by number, not by name; no rest before a clip",
    "three classes on unseen people without leaks: 36-61 % (chance 33 %; LibEER). 85 % comes from the same"
    " person and session in both halves.",
)


class Seed:
    """The folder ``Preprocessed_EEG``. ``people`` limits it to some, as ``("1", "15")``."""

    def __init__(self, folder: Path, people: Sequence[str] | None = None) -> None:
        if not folder.is_dir():
            raise DatasetError(f"{folder}: no such folder (SEED)")
        wanted = [int(number) for number in people] if people else list(range(1, PEOPLE + 1))
        dates: dict[int, list[tuple[str, Path]]] = {number: [] for number in wanted}
        for path in folder.glob("*.mat"):
            match = _FILE.fullmatch(path.name)
            if match and int(match[1]) in dates:
                dates[int(match[1])].append((match[2], path))
        for number, found in dates.items():
            if len(found) != SESSIONS:
                raise DatasetError(
                    f"{folder}: person {number} needs {SESSIONS} files {number}_DATE.mat, got {len(found)}"
                )
        self._files = {number: [path for _, path in sorted(dates[number])] for number in sorted(dates)}
        _check_order(folder / "label.mat")

    @property
    def info(self) -> DatasetInfo:
        return INFO

    def trials(self) -> Iterator[Trial]:
        """15 clips a session, sessions by date, clips by number. Raises ``DatasetError``."""
        for person, paths in self._files.items():
            for session, path in enumerate(paths, 1):
                for number, name in _clips(path):
                    samples = np.asarray(read_mat(path, (name,))[name], np.float64)
                    if samples.ndim != 2 or samples.shape[0] != len(SEED_62):
                        raise DatasetError(
                            f"{path}: {name} must have {len(SEED_62)} rows, got {samples.shape}"
                        )
                    label = NAMES[TRUE_ORDER[number - 1]]
                    yield Trial(f"{person:02}", str(session), number, samples, {"emotion": label})


def _clips(path: Path) -> list[tuple[int, str]]:
    """(number, name) of each clip in order of number: ``eeg10`` comes after ``eeg9``."""
    found = sorted((int(m[1]), m[0]) for m in map(_CLIP.fullmatch, mat_names(path)) if m)
    numbers = [number for number, _ in found]
    if numbers != list(range(1, CLIPS + 1)):
        raise DatasetError(f"{path}: needs clips NAME_eeg1 to NAME_eeg{CLIPS}, got {numbers}")
    return found


def _check_order(path: Path) -> None:
    if not path.is_file():
        raise DatasetError(f"{path.parent}: label.mat is missing")
    found = read_mat(path, ("label",)).get("label")
    order = tuple(int(label) for label in np.asarray(found).ravel()) if found is not None else ()
    if order != TRUE_ORDER:
        raise DatasetError(f"{path}: the order of labels must be {TRUE_ORDER}, got {order}")
