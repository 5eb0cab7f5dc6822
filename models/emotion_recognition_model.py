"""The model as users know it: build, train, save, load, predict, evaluate. Needs the ``train`` extra."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelFileError, TrainingError
from models.evaluation.metrics import scores
from models.files import folders
from models.files.provenance import data_hash, provenance
from models.networks.architectures import ArchitectureSettings, build_network, settings_for
from models.networks.complexity import complexity
from models.networks.input_layout import InputLayout, layout_for
from models.networks.keras_backend import seed_everything
from models.networks.label_encoder import LabelEncoder
from models.networks.model_files import StoredModel, main_head, read_model, write_model
from models.training.augmentation import Augmentation
from models.training.checkpoint import Checkpoint
from models.training.splits import LEAK_WARNING, split_rows
from models.training.training import TrainingData, fit, probabilities
from models.training.training_report import progress_bar, warn_red
from models.training.training_settings import TrainingSettings

Labels = Any
"""Labels of one head (n,), or a mapping of heads to labels."""


class EmotionRecognitionModel:
    """One network over features or raw windows, with one head or several.

    ``heads`` maps names to numbers of classes, as ``{"valence": 2, "arousal": 2, "emotion": 5}``; without it
    there is one head ``emotion`` of ``n_classes``. ``layout`` says what the axes of ``input_shape`` mean.
    Raises ``TrainingError`` for shapes, labels and settings that cannot be, ``ModelFileError`` for files.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_classes: int = 5,
        model_name: str = "emotion_model",
        *,
        heads: Mapping[str, int] | None = None,
        layout: InputLayout | None = None,
        seed: int = 0,
    ) -> None:
        self.input_shape = tuple(int(n) for n in input_shape)
        self.heads: dict[str, int] = dict(heads) if heads else {"emotion": n_classes}
        wrong = {head: n for head, n in self.heads.items() if not isinstance(n, int) or n < 2}
        if wrong:
            raise TrainingError(f"each head needs 2 classes or more, got {wrong}")
        if not model_name or Path(model_name).name != model_name or model_name.startswith("."):
            raise TrainingError(f"model_name must be a plain file name, got {model_name!r}")
        self.model_name, self.seed = model_name, seed
        self._wanted_layout = layout
        self.layout = layout_for(self.input_shape, "cnn", layout)
        self.architecture: str | None = None
        self.settings: ArchitectureSettings | None = None
        self.network: Any = None
        self.encoders: dict[str, LabelEncoder] = {}
        self.history: dict[str, list[float]] = {}
        self.training: dict[str, Any] = {}

    def build_model(self, architecture: str = "cnn_bilstm", **settings: Any) -> EmotionRecognitionModel:
        """Build the network anew: ``cnn_bilstm``, ``cnn``, ``bilstm``, ``dense`` or ``eegnet``.

        ``settings`` are those of ``ArchitectureSettings``: ``filters=(64, 128)``, ``lstm_units=(64,)`` ...
        """
        self.settings = settings_for(architecture, settings)
        self.layout = layout_for(self.input_shape, architecture, self._wanted_layout)
        seed_everything(self.seed)
        self.network = build_network(
            architecture, self.input_shape, self.heads, self.layout, self.settings, self.model_name
        )
        self.architecture = architecture
        self.encoders, self.history, self.training = {}, {}, {}
        return self

    def train(
        self,
        X: Any,
        y: Labels,
        epochs: int = 100,
        batch_size: int = 32,
        validation_split: float = 0.2,
        groups: Any | None = None,
        *,
        augmentation: Augmentation | Mapping[str, float] | None = None,
        checkpoint_dir: Path | str | None = None,
        resume: bool = True,
        progress: bool = True,
        rate_hz: float = 128.0,
        keep_normalisation: bool = False,
        checkpoints: bool = True,
        **settings: Any,
    ) -> dict[str, list[float]]:
        """Train and return the history. ``groups`` (n,) names the person or trial of each example.

        Whole groups validate; without groups windows are split at random, with a warning, and the model is
        marked leaky. ``settings`` are those of ``TrainingSettings`` (``learning_rate``, ``patience``,
        ``schedule``, ``class_weights``, ``label_smoothing``). The best network of the run stands in
        ``checkpoint_dir`` (default ``models/checkpoints``); a run that was killed goes on where it was when
        it is started again with the same data and settings, unless ``resume`` is False.
        ``keep_normalisation`` keeps the means and spreads of the inputs that were learnt before.
        Without ``checkpoints`` nothing is written.
        """
        self._need_network()
        how = _training_settings(epochs, batch_size, self.seed, augmentation, settings)
        data = self._training_data(X, y, groups, validation_split, rate_hz)
        if data.split.leaky:
            warn_red(LEAK_WARNING)
        hashes = {"X": data.X} | {f"y_{head}": target for head, target in data.targets.items()}
        fingerprint = self._fingerprint(hashes, data, how)
        folder = Path(checkpoint_dir) if checkpoint_dir is not None else folders.checkpoints()
        checkpoint = Checkpoint(folder / f"{self.model_name}_resume.npz", fingerprint)
        if not resume:
            checkpoint.remove()
        with progress_bar(self.model_name, shown=progress) as report:
            done = fit(
                self.network,
                data,
                self.layout,
                how,
                checkpoint=checkpoint if checkpoints else None,
                best_path=folder / f"{self.model_name}_best.keras" if checkpoints else None,
                report=report,
                adapt=not keep_normalisation,
            )
        self.history = done.history
        self.training = {
            "settings": how.as_json(),
            "split": data.split.kind,
            "leaky": data.split.leaky,
            "examples": {"train": len(data.split.train), "validate": len(data.split.validate)},
            "epochs_done": done.epoch,
            "best_epoch": done.best_epoch,
            "provenance": provenance(hashes, self.seed),
        }
        return self.history

    def predict_proba(self, X: Any) -> Any:
        """Probabilities (n, n_classes), by head where there are several. One example may come without n."""
        self._need_network()
        answers = probabilities(self.network, self._inputs(X))
        return answers if len(self.heads) > 1 else next(iter(answers.values()))

    def predict(self, X: Any) -> Any:
        """The most probable label of each example, by head where there are several."""
        answers = self.predict_proba(X)
        if len(self.heads) > 1:
            return {head: self._labels(head, answer) for head, answer in answers.items()}
        return self._labels(next(iter(self.heads)), answers)

    def evaluate(self, X: Any, y: Labels) -> dict[str, Any]:
        """``accuracy``, ``balanced_accuracy``, ``macro_f1``, ``classification_report``, ``confusion_matrix``,
        ``calibration_error``, ``chance``, ``majority`` and the ``labels`` the matrix is about; by head where
        there are several. X is (n, *input_shape), y (n,).

        Scores on examples of people the model was trained on say nothing about other people.
        """
        answers, labels = self.predict_proba(X), self._labels_by_head(y)
        by_head = answers if len(self.heads) > 1 else {next(iter(self.heads)): answers}
        results = {}
        for head, probability in by_head.items():
            encoder = self.encoder(head)
            truth = encoder.transform(labels[head])
            if len(truth) != len(probability):
                raise TrainingError(f"y must have one label for each of {len(probability)} examples")
            results[head] = scores(probability, truth, encoder.classes)
        return results if len(self.heads) > 1 else next(iter(results.values()))

    def save_model(self, path: Path | str) -> dict[str, Any]:
        """Write ``path`` (.h5 or .keras) and beside it encoder, configuration and history; all or nothing."""
        self._need_network()
        encoders = {head: self.encoder(head) for head in self.heads}
        return write_model(Path(path), StoredModel(self.network, encoders, self.config(), self.history))

    def load_model(self, path: Path | str) -> EmotionRecognitionModel:
        """Read a stored model into this one. The input shape must be the one this was made for."""
        return self._adopt(Path(path), read_model(Path(path)))

    @classmethod
    def from_file(cls, path: Path | str) -> EmotionRecognitionModel:
        """Open a stored model whose input shape is not known beforehand."""
        stored = read_model(Path(path))
        return cls(stored.network.input_shape[1:])._adopt(Path(path), stored)

    def _adopt(self, path: Path, stored: StoredModel) -> EmotionRecognitionModel:
        shape = tuple(int(n) for n in stored.network.input_shape[1:])
        if shape != self.input_shape:
            raise ModelFileError(f"{path}: its input is {shape}, this model's input_shape {self.input_shape}")
        config = stored.config
        self.network, self.encoders = stored.network, dict(stored.encoders)
        self.heads = {head: len(encoder.classes) for head, encoder in stored.encoders.items()}
        self.history = dict(stored.history)
        self.architecture = config.get("architecture")
        self.training = dict(config.get("training", {}))
        self.model_name = str(config.get("model_name", path.stem))
        if "settings" in config and self.architecture:
            self.settings = settings_for(self.architecture, config["settings"])
        if "layout" in config:
            self.layout = InputLayout(tuple(config["layout"]["axes"]), tuple(config["layout"]["shape"]))
        return self

    def config(self) -> dict[str, Any]:
        """What the configuration file holds: enough to build the same network again, and where it is from."""
        size = complexity(self.network)
        return {
            "model_name": self.model_name,
            "architecture": self.architecture,
            "input_shape": list(self.input_shape),
            "layout": {
                "axes": list(self.layout.axes),
                "shape": list(self.layout.shape),
                "says": self.layout.describe(),
            },
            "heads": self.heads,
            "settings": dataclasses.asdict(self.settings) if self.settings else {},
            "seed": self.seed,
            "parameters": size.parameters,
            "trainable_parameters": size.trainable,
            "macs": size.macs,
            "training": self.training,
            "leaky": bool(self.training.get("leaky", False)),
        }

    def summary(self) -> str:
        """One line: architecture, layout, size."""
        self._need_network()
        size = complexity(self.network)
        return (
            f"{self.architecture}: {self.layout.describe()}; {size.parameters} parameters, {size.macs} MACs"
        )

    def _need_network(self) -> None:
        if self.network is None:
            raise TrainingError(f"{self.model_name}: call build_model() or load_model() first")

    def _inputs(self, X: Any) -> NDArray[np.float32]:
        try:
            values = np.asarray(X, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise TrainingError(f"X must hold numbers in one shape: {error!s:.80}") from error
        if values.shape == self.input_shape:
            values = values[np.newaxis]
        if values.shape[1:] != self.input_shape or values.ndim != 1 + len(self.input_shape):
            raise TrainingError(f"X must have shape (n, {_shape(self.input_shape)}), got {values.shape}")
        if not len(values):
            raise TrainingError("X holds no example")
        if not np.isfinite(values).all():
            bad = int(np.sum(~np.isfinite(values).reshape(len(values), -1).all(axis=1)))
            raise TrainingError(f"X must be finite, got NaN or infinity in {bad} of {len(values)} examples")
        return values

    def _training_data(
        self, X: Any, y: Labels, groups: Any | None, fraction: float, rate_hz: float
    ) -> TrainingData:
        values, labels = self._inputs(X), self._labels_by_head(y)
        encoders, targets = {}, {}
        for head, n_classes in self.heads.items():
            given = labels[head]
            if len(given) != len(values):
                rule = f"y must have one label for each of {len(values)} examples"
                raise TrainingError(f"{rule}, got {len(given)} ({head})")
            # a network that is trained again keeps the order of its outputs
            encoders[head] = self.encoders.get(head) or LabelEncoder.fit(given, n_classes)
            indices = encoders[head].transform(given)
            if len(np.unique(indices)) < 2:
                raise TrainingError(f"training needs at least 2 classes, got only one ({head})")
            targets[head] = np.eye(n_classes, dtype=np.float32)[indices]
        main = targets[main_head(self.heads)].argmax(axis=1)
        split = split_rows(main, groups, fraction, self.seed)
        self.encoders = encoders
        return TrainingData(values, targets, split, rate_hz)

    def _labels_by_head(self, y: Labels) -> dict[str, NDArray[Any]]:
        if isinstance(y, Mapping):
            if set(y) != set(self.heads):
                raise TrainingError(f"y must name the heads {sorted(self.heads)}, got {sorted(map(str, y))}")
            return {head: np.asarray(y[head]).ravel() for head in self.heads}
        if len(self.heads) > 1:
            raise TrainingError(f"with several heads y must map each of {sorted(self.heads)} to its labels")
        labels = np.asarray(y)
        if labels.ndim == 2 and labels.shape[1] == next(iter(self.heads.values())):
            labels = labels.argmax(axis=1)  # one-hot, as Keras users write it
        return {next(iter(self.heads)): labels.ravel()}

    def encoder(self, head: str | None = None) -> LabelEncoder:
        """Labels of a head (default: the main one); numbers before the first training."""
        name = head or main_head(self.heads)
        return self.encoders.get(name) or LabelEncoder(tuple(range(self.heads[name])))

    def _labels(self, head: str, answers: NDArray[np.float64]) -> NDArray[Any]:
        return self.encoder(head).inverse(answers.argmax(axis=1))

    def _fingerprint(self, hashes: Mapping[str, Any], data: TrainingData, how: TrainingSettings) -> str:
        """Of everything the result depends on: data, split, settings and the weights at the start."""
        start = {f"weight{i:04}": weight for i, weight in enumerate(self.network.get_weights())}
        rows = {"train": data.split.train, "validate": data.split.validate}
        settings = json.dumps([self.config()["settings"], how.as_json(), self.architecture], default=str)
        return data_hash({**hashes, **start, **rows, "settings": np.array(settings)})


def _training_settings(
    epochs: int,
    batch_size: int,
    seed: int,
    augmentation: Augmentation | Mapping[str, float] | None,
    settings: Mapping[str, Any],
) -> TrainingSettings:
    if isinstance(augmentation, Mapping):
        _known("augmentation", augmentation, Augmentation)
        changes: dict[str, Any] = dict(augmentation)
        augmentation = Augmentation(**changes)
    _known("setting", settings, TrainingSettings)
    extra = Augmentation() if augmentation is None else augmentation
    if not isinstance(extra, Augmentation):
        raise TrainingError(f"augmentation must map names to strengths, got {augmentation!r:.80}")
    given: dict[str, Any] = {"seed": seed, **settings}
    return TrainingSettings(epochs=epochs, batch_size=batch_size, augmentation=extra, **given)


def _known(what: str, given: Mapping[str, Any], kind: type) -> None:
    known = [field.name for field in dataclasses.fields(kind)]
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise TrainingError(f"unknown {what} {unknown!r:.80}: one of {', '.join(sorted(known))}")


def _shape(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
