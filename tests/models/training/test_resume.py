"""A training killed with -9 goes on at the same epoch and ends with the same weights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.emotion_recognition_model import EmotionRecognitionModel
from models.training.checkpoint import Checkpoint
from models.training.training_settings import Progress, TrainingSettings
from support.networks.example_making import SMALL, blobs
from support.networks.training_to_kill import KILLED_AFTER, train

pytest.importorskip("tensorflow", reason="needs the train extra")
TESTS = Path(__file__).parents[2]
SCRIPT = TESTS / "support" / "networks" / "training_to_kill.py"


def _epochs_done(path: Path) -> int:
    if not path.exists():
        return 0
    with np.load(path) as stored:
        return int(json.loads(str(stored["state"]))["progress"]["epoch"])


@pytest.mark.train
@pytest.mark.timeout(400)
def test_kill_9_changes_nothing_of_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(tmp_path / "killed")],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    resume = tmp_path / "killed" / "killed_resume.npz"
    deadline = time.monotonic() + 180
    while _epochs_done(resume) < KILLED_AFTER and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    child.kill()
    _, complaint = child.communicate()
    assert child.returncode == -signal.SIGKILL, complaint.decode()
    done = _epochs_done(resume)
    assert done == KILLED_AFTER
    best = resume.with_name("killed_best.keras")
    assert best.exists()

    started: list[int] = []
    note = Progress.note

    def noting(progress: Progress, figures: dict[str, float], settings: TrainingSettings) -> bool:
        started.append(progress.epoch)
        return note(progress, figures, settings)

    monkeypatch.setattr(Progress, "note", noting)
    resumed = train(tmp_path / "killed")
    assert started[0] == done
    started.clear()
    whole = train(tmp_path / "whole")
    assert started[0] == 0
    assert resumed.history == whole.history
    for ours, theirs in zip(resumed.network.get_weights(), whole.network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not resume.exists()
    assert [path.name for path in resume.parent.iterdir()] == ["killed_best.keras"]


@pytest.mark.train
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("untraced")
def test_only_the_same_training_is_resumed(tmp_path: Path) -> None:
    X, y, groups = blobs(n=40)
    model = EmotionRecognitionModel((20,), n_classes=2, model_name="m").build_model("dense", **SMALL)
    how: dict[str, Any] = {"groups": groups, "checkpoint_dir": tmp_path, "progress": False}
    model.train(X, y, epochs=1, **how)
    path = tmp_path / "m_resume.npz"
    Checkpoint(path, "other data").save(model.network, model.network.get_weights(), Progress(epoch=9))
    assert Checkpoint(path, "other data").load(model.network) is not None
    assert Checkpoint(path, "these data").load(model.network) is None
    assert len(model.train(X, y, epochs=2, **how)["loss"]) == 2
    path.write_bytes(b"PK\x03\x04 torn")
    assert Checkpoint(path, "other data").load(model.network) is None
    assert len(model.train(X, y, epochs=2, **how)["loss"]) == 2


def test_the_best_epoch_is_that_of_the_highest_validation_accuracy() -> None:
    settings, progress = TrainingSettings(epochs=50, patience=4), Progress()
    told = [(1.0, 0.5), (0.5, 0.7), (0.4, 0.7), (0.3, 0.6), (0.9, 0.8), (0.95, 0.8)]
    kept = [
        progress.note({"loss": 9.0, "val_loss": loss, "val_balanced_accuracy": accuracy}, settings)
        for loss, accuracy in told
    ]
    assert kept == [True, True, True, False, True, False]
    assert (progress.best_epoch, progress.best_accuracy, progress.best_loss) == (5, 0.8, 0.9)
    assert (progress.least_loss, progress.waited) == (0.3, 2)


def test_early_stopping_and_plateau_count_epochs_without_a_better_loss() -> None:
    settings = TrainingSettings(epochs=50, patience=6, learning_rate=0.1)
    progress = Progress()
    for loss in (1.0, 0.5, 0.6, 0.6, 0.6, 0.6):
        progress.note({"loss": 9.0, "val_loss": loss}, settings)
    assert (progress.best_epoch, progress.waited, progress.plateau_cuts) == (2, 4, 2)
    assert settings.rate_at(6, progress.plateau_cuts) == pytest.approx(0.025)
    assert not progress.stopped(settings)
    for _ in range(2):
        progress.note({"loss": 9.0, "val_loss": 0.6}, settings)
    assert progress.stopped(settings)
    cosine = TrainingSettings(epochs=10, schedule="cosine", learning_rate=0.1)
    rates = [cosine.rate_at(epoch, 0) for epoch in range(11)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10] == pytest.approx(0.001)
    assert rates == sorted(rates, reverse=True)
