"""A training for another process to kill: ``python training_to_kill.py FOLDER``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from example_making import SMALL, blobs

from models import training
from models.emotion_recognition_model import EmotionRecognitionModel

EPOCHS = 7


def train(folder: Path) -> EmotionRecognitionModel:
    """Dropout, mixup, noise, a schedule and Adam: everything that has a state."""
    X, y, groups = blobs(n=80)
    model = EmotionRecognitionModel((20,), n_classes=2, model_name="killed", seed=5)
    model.build_model("cnn", **SMALL)
    model.train(
        X,
        y,
        epochs=EPOCHS,
        batch_size=16,
        groups=groups,
        augmentation={"noise": 0.3, "mixup": 0.4},
        checkpoint_dir=folder,
        patience=2,
        progress=False,
    )
    return model


if __name__ == "__main__":
    whole_epoch = training._epoch

    def slow_epoch(*arguments):  # type: ignore[no-untyped-def]
        """Leave time to be killed in the middle of an epoch."""
        time.sleep(0.3)
        return whole_epoch(*arguments)

    training._epoch = slow_epoch
    train(Path(sys.argv[1]))
