"""Trainings by name: what ``neuroplayer models train NAME`` means for the names people know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.datasets.dataset import ExampleSettings


@dataclass(frozen=True, slots=True)
class Recipe:
    """A data set, how its examples are made, an architecture, the heads, and what may be expected."""

    dataset: str
    examples: ExampleSettings
    architecture: str
    heads: tuple[str, ...]
    expectation: str
    training: Mapping[str, Any] = field(default_factory=dict)


RECIPES: Mapping[str, Recipe] = {
    "deap_cnn_bilstm": Recipe(
        "deap",
        ExampleSettings(schema="deap167", window_s=2.0, hop_s=1.0),
        "cnn_bilstm",
        ("emotion",),
        "Expect little: on people a network never saw, DEAP gives 25-31 % in quadrants (chance 25 %), and"
        " the five labels here are no easier. The 75-90 % often quoted come from windows of one video in both"
        " halves.",
        {"label_smoothing": 0.1},
    ),
    "seed_cnn_bilstm": Recipe(
        "seed",
        ExampleSettings(schema="seed310", window_s=2.0, hop_s=1.0),
        "cnn_bilstm",
        ("emotion",),
        "Expect 36-61 % in three classes on people the network never saw (chance 33 %; LibEER). The 85 %"
        " often quoted come from the same person and session in both halves.",
        {"label_smoothing": 0.1},
    ),
}
