"""What a wearer's valence model learnt, stored so that a running engine answers the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.train
pytest.importorskip("tensorflow", reason="the train extra is not installed")


from inference.classification.valence import read_valence  # noqa: E402
from models.emotion_recognition_model import EmotionRecognitionModel  # noqa: E402
from models.errors import TrainingError  # noqa: E402
from models.model_personalization import Verdict  # noqa: E402
from models.personal.valence_export import store_valence  # noqa: E402
from support.networks.network_copy import tiny  # noqa: E402

KEPT = Verdict(True, "better on 12 pieces", 12, 0.5, 0.8, 0.004, {})


def _model() -> EmotionRecognitionModel:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 10)).astype(np.float32) * 2 + 1
    y = np.where(X[:, 0] + 0.3 * rng.normal(size=80) > 1, "pleasant", "unpleasant")
    model = EmotionRecognitionModel((10,), 2, "valence", heads={"valence": 2}, seed=1)
    model.build_model("dense", dense_units=(8,), dropout=0.5)
    model.train(X, y, 12, validation_split=0.0, learning_rate=1e-2, progress=False, checkpoints=False)
    return model


def test_the_engine_reads_what_the_model_says(tmp_path: Path) -> None:
    model, path = _model(), tmp_path / "models" / "valence.json"
    network = store_valence(path, model, KEPT, tiny(), "pleasant")
    assert (network.windows, network.pieces, network.balanced_accuracy) == (1, 12, 0.8)
    reader = read_valence(path)
    pleasant, unpleasant = np.full(10, 1.0), np.full(10, 1.0)
    pleasant[0], unpleasant[0] = 4.0, -2.0
    assert reader.logit(pleasant) > 0 > reader.logit(unpleasant)


def test_what_was_not_kept_is_not_stored(tmp_path: Path) -> None:
    path = tmp_path / "valence.json"
    guess = replace(KEPT, kept=False, reason="no better than guessing on 12 pieces")
    with pytest.raises(TrainingError, match="not stored: no better than guessing"):
        store_valence(path, _model(), guess, tiny(), "pleasant")
    with pytest.raises(TrainingError, match="one of them 'bright', got pleasant, unpleasant"):
        store_valence(path, _model(), KEPT, tiny(), "bright")
    assert not path.exists()
