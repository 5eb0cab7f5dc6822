"""Data sets behind one interface: trials as their owners publish them, examples as networks want them."""

from models.datasets.dataset import EmotionDataset, ExampleSettings, build_examples
from models.datasets.opening import KINDS, open_dataset
from models.datasets.trial import DatasetInfo, Trial, TrialSource

__all__ = [
    "KINDS",
    "DatasetInfo",
    "EmotionDataset",
    "ExampleSettings",
    "Trial",
    "TrialSource",
    "build_examples",
    "open_dataset",
]
