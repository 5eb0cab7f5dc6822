"""What can be wrong with models, their files and their data."""

from __future__ import annotations

import sys


class ModelsError(Exception):
    """Base of this package's errors. The message names the thing, the rule and the value got."""


class TrainingError(ModelsError):
    """Shapes, labels, groups or settings that cannot be trained on."""


class ModelFileError(ModelsError):
    """A stored model or one of its side files is missing, damaged or not to be trusted."""


class DatasetError(ModelsError):
    """A data set folder or file is not what its published format says."""


def extra_missing(what: str, needs: str) -> ModelsError:
    """The refusal where the ``train`` extra is not installed; it names the very environment that lacks it."""
    mend = f"{sys.executable} -m pip install 'neuroplayer[train]'"
    return ModelsError(f"{what} needs {needs}, which is not installed: {mend}")
