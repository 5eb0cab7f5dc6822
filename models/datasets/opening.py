"""From what a person writes (``deap:FOLDER``) to an open set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.datasets.deap import Deap
from models.datasets.dreamer import Dreamer
from models.datasets.eegmat import Eegmat
from models.datasets.recordings import DESCRIPTION, LabelledRecordings
from models.datasets.seed import Seed
from models.datasets.trial import TrialSource
from models.errors import DatasetError

KINDS = ("deap", "seed", "dreamer", "eegmat", "recordings")


def open_dataset(spec: str, channels: tuple[str, ...] | None = None) -> TrialSource:
    """Open ``KIND:PATH``, or a path whose kind can be seen: a people set ``.npz`` or a ``dataset.json``.

    ``channels`` chooses electrodes of a people set. Raises ``DatasetError``.
    """
    kind, colon, rest = spec.partition(":")
    if not colon or kind not in KINDS:
        path = Path(spec).expanduser()
        kind = _kind_of(path)
    else:
        path = Path(rest).expanduser()
    if channels is not None and kind != "eegmat":
        raise DatasetError(f"channels are chosen in people sets only, not in {kind}")
    if kind == "eegmat":
        return Eegmat(path, channels)
    makers: dict[str, Callable[[Path], TrialSource]] = {
        "deap": Deap,
        "seed": Seed,
        "dreamer": Dreamer,
        "recordings": LabelledRecordings,
    }
    return makers[kind](path)


def _kind_of(path: Path) -> str:
    if path.suffix == ".npz":
        return "eegmat"
    if (path / DESCRIPTION).is_file():
        return "recordings"
    if path.name == "DREAMER.mat" or (path / "DREAMER.mat").is_file():
        return "dreamer"
    if (path / "s01.dat").is_file() or (path / "s01.mat").is_file():
        return "deap"
    if (path / "label.mat").is_file():
        return "seed"
    raise DatasetError(f"{path}: no data set is seen there; write KIND:PATH with one of {', '.join(KINDS)}")
