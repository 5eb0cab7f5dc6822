"""MATLAB files, read as data by ``scipy.io``; nothing in them is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.errors import DatasetError


def read_mat(path: Path, names: Sequence[str] | None = None, **options: Any) -> dict[str, Any]:
    """Variables of one ``.mat`` file up to version 7.2. Raises ``DatasetError`` naming the file."""
    from scipy.io import loadmat

    try:
        found: dict[str, Any] = loadmat(path, variable_names=names, **options)
    except NotImplementedError:
        raise DatasetError(f"{path}: a version 7.3 file (HDF5); save it in MATLAB with -v7") from None
    except Exception as error:
        raise DatasetError(f"{path}: not a readable .mat file: {error!s:.120}") from error
    return {name: value for name, value in found.items() if not name.startswith("__")}


def mat_names(path: Path) -> list[str]:
    """Names of the variables of one file. Raises ``DatasetError``."""
    from scipy.io import whosmat

    try:
        return [str(name) for name, _, _ in whosmat(path)]
    except Exception as error:
        raise DatasetError(f"{path}: not a readable .mat file: {error!s:.120}") from error
