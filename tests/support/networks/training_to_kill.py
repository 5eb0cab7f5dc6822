"""A training for another process to kill: ``python training_to_kill.py FOLDER``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from models.emotion_recognition_model import EmotionRecognitionModel
from models.training import training
from support.networks.example_making import SMALL, blobs

EPOCHS = 7
KILLED_AFTER = 2


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
    whole_epoch, begun = training._epoch, 0

    def endless_epoch(*arguments):  # type: ignore[no-untyped-def]
        """The third learns and never ends: it is killed in its middle, whenever that is."""
        global begun
        begun += 1
        told = whole_epoch(*arguments)
        while begun > KILLED_AFTER:
            time.sleep(1)
        return told

    training._epoch = endless_epoch
    train(Path(sys.argv[1]))
