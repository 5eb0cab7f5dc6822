"""From guided minutes on a simulated wearer to a personal network in use, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acquisition.headsets.simulated_source import SimulatedSource
from daemon.calibration.guide import guide, protocol
from daemon.calibration.taker import Step
from daemon.errors import BadInputError
from inference.classification.valence import read_valence
from inference.networks.litert_classifier import LiteRtClassifier
from inference.networks.model_store import ModelStore
from models.datasets import Trial
from models.emotion_recognition_model import EmotionRecognitionModel
from models.errors import ModelsError, TrainingError
from models.files.folders import shipped
from models.files.writing import read_json
from models.personal import personal_calibration
from models.personal.personal_calibration import (
    calibrate,
    calibrate_valence,
    check_pieces,
    personal_examples,
    store_valence,
)
from models.personal.personal_store import PersonalStore
from support.recordings.a_head import head_noise

MUSE = "calm-engaged-muse4"


class DriftedWearer(SimulatedSource):
    """Restless by nature: the first rest is deep, every later one looks like work to others."""

    def __init__(self) -> None:
        super().__init__(seed=3, speed=None)
        self._first = True

    def ask(self, engagement: float | None) -> None:
        """The first request is the baseline."""
        if self._first or engagement is None:
            super().ask(engagement)
        else:
            super().ask(0.4 if engagement < 0 else 1.25)
        self._first = False


def test_blocks_alternate_so_that_time_says_nothing() -> None:
    steps = protocol(60, 30, 4)
    assert steps[0].label == ""
    labels = [step.label for step in steps[1:]]
    assert labels.count("calm") == labels.count("engaged") == 4
    places = {label: np.mean([i for i, one in enumerate(labels) if one == label]) for label in set(labels)}
    assert places["calm"] == places["engaged"]
    assert len({step.says for step in steps}) > 4


def test_the_guide_tells_every_step_and_returns_its_samples() -> None:
    told: list[tuple[str, float]] = []

    def show(step: Step, left_s: float) -> None:
        told.append((step.label, left_s))

    info, trials = guide(SimulatedSource(speed=None), protocol(20, 10, 3), show=show)
    assert [label for label, _ in told if label] != []
    assert told[0][1] > 22
    assert len(trials) == 6
    for trial in trials:
        assert trial.samples_uv.shape == (4, round(30 * info.rate_hz))
        assert trial.baseline_s == 20
        np.testing.assert_array_equal(trial.samples_uv[:, :5000], trials[0].samples_uv[:, :5000])


def test_a_recording_that_is_too_short_and_a_silent_headset_are_named(eeg_dir: Path) -> None:
    from acquisition.readers.replay_source import ReplaySource

    source = ReplaySource(str(eeg_dir / "muse" / "clean.csv"), speed=None)
    with pytest.raises(BadInputError, match="the recording ended during the"):
        guide(source, protocol(60, 60, 3))

    class Silent(SimulatedSource):
        def poll(self, timeout_s: float) -> None:
            return None

    now = iter(range(1000))
    with pytest.raises(BadInputError, match="sent nothing for 15 s"):
        guide(Silent(), protocol(20, 10, 3), clock=lambda: float(next(now)))


def _store(tmp_path: Path) -> PersonalStore:
    folder = tmp_path / "models" / "personalized"
    return PersonalStore(folder, ModelStore((tmp_path / "models", folder, shipped())))


@pytest.mark.train
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_wearer_whom_the_shipped_network_misreads_gets_a_personal_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    monkeypatch.setattr(personal_calibration, "EPOCHS", 40)
    told: list[tuple[int, int]] = []
    store = _store(tmp_path)
    base = store.live.get(MUSE)
    info, trials = guide(DriftedWearer(), protocol(30, 12, 6))
    examples = personal_examples(base, trials, info.channels, info.rate_hz)
    result = calibrate(base, examples, store, fitted=lambda done, of: told.append((done, of)))
    assert told == [(done, 5) for done in range(5)]
    assert result.verdict.kept, result.verdict.reason
    assert result.verdict.base_accuracy < 0.75 < result.verdict.personal_accuracy
    assert result.name is not None
    assert store.live.selected() == result.name
    assert store.live.choose_for(info.channels).name == result.name  # type: ignore[union-attr]
    for variant in store.live.get(result.name).files:
        classifier = LiteRtClassifier(store.live.get(result.name), variant)
        engaged = np.array([classifier.predict(run)[1] for run in examples.X])
        right = (engaged > 0.5) == (examples.y == "engaged")
        assert right.mean() > 0.75
        classifier.close()
    card = store.card(result.name)
    assert card["base"] == MUSE
    assert card["verdict"]["kept"] is True
    assert len(card["provenance"]["data_sha256"]) == 64
    store.use(None)
    assert store.live.choose_for(info.channels).name == MUSE  # type: ignore[union-attr]
    store.use(result.name)
    store.remove(result.name)
    assert store.live.selected() is None
    assert store.versions() == ()
    with pytest.raises(ModelsError, match="no personal network named"):
        store.remove("../../calm-engaged-muse4")


@pytest.mark.train
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("untraced")
def test_nothing_is_kept_of_a_wearer_the_shipped_network_reads_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    monkeypatch.setattr(personal_calibration, "EPOCHS", 2)
    store = _store(tmp_path)
    base = store.live.get(MUSE)
    info, trials = guide(SimulatedSource(speed=None, seed=1), protocol(30, 15, 3))
    examples = personal_examples(base, trials, info.channels, info.rate_hz)
    result = calibrate(base, examples, store)
    assert not result.verdict.kept
    assert result.name is None
    assert store.versions() == ()
    assert store.live.selected() is None


def _songs(effect: float, n: int = 12) -> tuple[Trial, ...]:
    rng = np.random.default_rng(2)
    rest = head_noise(1, 4, 128 * 20, 128.0)
    trials = []
    for i in range(n):
        liked = i % 2 == 0
        alpha = 2.0 * np.exp((effect if liked else -effect) + 0.05 * rng.normal())
        during = head_noise(10 + i, 4, 128 * 15, 128.0, rhythm=alpha)
        label = {"valence": "positive" if liked else "negative"}
        trials.append(Trial("me", "1", i, np.concatenate([rest, during], axis=1), label, 20.0))
    return tuple(trials)


@pytest.mark.train
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("effect", "kept"), [(0.5, True), (0.0, False)], ids=["readable", "unreadable"])
def test_valence_is_said_only_of_wearers_in_whom_it_can_be_read(
    effect: float, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    monkeypatch.setattr(personal_calibration, "VALENCE_FOLDS", 2)
    store = _store(tmp_path)
    base = store.live.get(MUSE)
    channels = ("TP9", "AF7", "AF8", "TP10")
    examples = personal_examples(base, _songs(effect), channels, 128.0, "valence")
    model, verdict = calibrate_valence(examples)
    assert verdict.kept is kept, verdict.reason
    assert verdict.n_trials == 12
    if kept:
        path = store_valence(store, base, model, verdict, examples)
        assert EmotionRecognitionModel.from_file(path).encoder("valence").classes == ("negative", "positive")
        assert read_json(path.with_name("card.json"))["verdict"]["kept"] is True
        reader = read_valence(store.live.roots[0] / "valence.json")
        z = {label: examples.X[examples.y == label].mean(axis=(0, 1)) for label in ("negative", "positive")}
        assert reader.logit(z["negative"]) < 0
        reader.forget()
        assert reader.logit(z["positive"]) > 0
        assert store.valence_in_use() == path.parent.name
        store.use_valence(None)
        assert store.valence_in_use() is None
        store.use_valence(path.parent.name)
        with pytest.raises(ModelsError, match="no valence calibration named"):
            store.use_valence("../..")
        assert store.versions() == ()  # no network for the calm-engaged axis


def test_bad_trials_are_named(tmp_path: Path) -> None:
    store = _store(tmp_path)
    base = store.live.get(MUSE)
    short: Any = [Trial("me", "1", 1, np.zeros((4, 512)), {"emotion": "calm"}, 2.0)]
    with pytest.raises(TrainingError, match="trial 1: fewer than 4 clean windows of rest"):
        personal_examples(base, short, ("TP9", "AF7", "AF8", "TP10"), 128.0)
    with pytest.raises(
        TrainingError, match=r"at least 3 pieces that were pleasant.*got 4 negative, 2 positive"
    ):
        check_pieces(["positive", "negative"] * 2 + ["negative"] * 2)
    songs = _songs(0.0, 4)
    examples = personal_examples(base, songs, ("TP9", "AF7", "AF8", "TP10"), 128.0, "valence")
    with pytest.raises(TrainingError, match="label 'negative' is not one of calm, engaged"):
        calibrate(base, examples, store)
