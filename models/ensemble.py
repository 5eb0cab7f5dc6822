"""Several models of one kind, each from a seed of its own, that answer together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.emotion_recognition_model import EmotionRecognitionModel
from models.errors import ModelFileError, TrainingError
from models.evaluation.metrics import scores
from models.files.writing import read_json, whole_file, write_json
from models.networks.label_encoder import LabelEncoder
from models.networks.model_files import main_head

DESCRIPTION = "ensemble.json"


class EmotionEnsemble:
    """The mean of the members' probabilities (Lakshminarayanan et al. 2017, *Deep ensembles*).

    ``options`` are those of ``EmotionRecognitionModel``; member ``i`` has seed ``seed + i`` and so its own
    start, order and validation half. Raises ``TrainingError`` and ``ModelFileError``.
    """

    def __init__(self, n_members: int, *arguments: Any, seed: int = 0, **options: Any) -> None:
        if not 2 <= n_members <= 64:
            raise TrainingError(f"an ensemble has 2 to 64 members, got {n_members}")
        self.members = [
            EmotionRecognitionModel(*arguments, seed=seed + i, **options) for i in range(n_members)
        ]
        for i, member in enumerate(self.members):
            member.model_name = f"{member.model_name}_{i + 1}"

    def build_model(self, architecture: str = "cnn_bilstm", **settings: Any) -> EmotionEnsemble:
        """Build every member anew."""
        for member in self.members:
            member.build_model(architecture, **settings)
        return self

    def train(self, X: Any, y: Any, **training: Any) -> list[dict[str, list[float]]]:
        """Train one after the other; the histories. A killed training goes on with the member it was at."""
        return [member.train(X, y, **training) for member in self.members]

    def predict_proba(self, X: Any) -> Any:
        """Mean probabilities (n, n_classes), by head where there are several."""
        answers = [member.predict_proba(X) for member in self.members]
        if isinstance(answers[0], dict):
            return {head: np.mean([answer[head] for answer in answers], axis=0) for head in answers[0]}
        return np.mean(answers, axis=0)

    def predict(self, X: Any) -> Any:
        """The most probable labels."""
        answers = self.predict_proba(X)
        if isinstance(answers, dict):
            return {head: self._labels(head, answer) for head, answer in answers.items()}
        return self._labels(main_head(self.members[0].heads), answers)

    def evaluate(self, X: Any, y: Any) -> dict[str, Any]:
        """As ``EmotionRecognitionModel.evaluate``."""
        answers = self.predict_proba(X)
        if not isinstance(answers, dict):
            return self._scores(main_head(self.members[0].heads), answers, y)
        return {head: self._scores(head, answer, y[head]) for head, answer in answers.items()}

    def save_model(self, folder: Path | str) -> list[dict[str, Any]]:
        """Write every member into ``folder``, and then the list of them; the members' configurations."""
        folder = Path(folder)
        names = [f"{member.model_name}.keras" for member in self.members]
        told = [member.save_model(folder / name) for member, name in zip(self.members, names, strict=True)]
        with whole_file(folder / DESCRIPTION) as draft:
            write_json(draft, {"format": 1, "members": names})
        return told

    @classmethod
    def from_folder(cls, folder: Path | str) -> EmotionEnsemble:
        """Read what ``save_model`` wrote. Raises ``ModelFileError`` naming the file and the rule."""
        described = read_json(Path(folder) / DESCRIPTION)
        names = described.get("members") if isinstance(described, dict) else None
        if not isinstance(names, list) or len(names) < 2 or any(Path(str(n)).name != n for n in names):
            raise ModelFileError(f"{Path(folder) / DESCRIPTION}: must list the files of two members or more")
        ensemble = cls.__new__(cls)
        ensemble.members = [EmotionRecognitionModel.from_file(Path(folder) / name) for name in names]
        return ensemble

    def _encoder(self, head: str) -> LabelEncoder:
        return self.members[0].encoder(head)

    def _labels(self, head: str, answers: NDArray[np.float64]) -> NDArray[Any]:
        return self._encoder(head).inverse(answers.argmax(axis=1))

    def _scores(self, head: str, answers: NDArray[np.float64], y: Any) -> dict[str, Any]:
        encoder = self._encoder(head)
        return scores(answers, encoder.transform(np.asarray(y).ravel()), encoder.classes)
