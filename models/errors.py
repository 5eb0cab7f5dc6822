"""What can be wrong with models, their files and their data."""

from __future__ import annotations


class ModelsError(Exception):
    """Base of this package's errors. The message names the thing, the rule and the value got."""


class TrainingError(ModelsError):
    """Shapes, labels, groups or settings that cannot be trained on."""


class ModelFileError(ModelsError):
    """A stored model or one of its side files is missing, damaged or not to be trusted."""


class DatasetError(ModelsError):
    """A data set folder or file is not what its published format says."""
