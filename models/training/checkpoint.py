"""What a training writes after each epoch, so that one killed at any moment goes on where it was.

Everything stands in one ``.npz`` that takes its name in one step: weights, the optimiser's memory, the best
weights so far and the progress. A fingerprint of data and settings keeps it from meeting another training.
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.files.writing import whole_file
from models.training.training_settings import Progress


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The file of one training."""

    path: Path
    fingerprint: str

    def save(self, network: Any, best: list[Any], progress: Progress) -> None:
        """Write the state after an epoch."""
        arrays = {f"weight{i}": value for i, value in enumerate(network.get_weights())}
        arrays |= {f"best{i}": value for i, value in enumerate(best)}
        arrays |= {f"optimizer{i}": np.asarray(v) for i, v in enumerate(network.optimizer.variables)}
        state = {"fingerprint": self.fingerprint, "progress": dataclasses.asdict(progress)}
        with whole_file(self.path) as draft, draft.open("wb") as out:
            np.savez(out, state=np.array(json.dumps(state)), **arrays)

    def load(self, network: Any) -> tuple[list[Any], Progress] | None:
        """Put the state into a compiled network; (best weights, progress), or None where there is none of it.

        A checkpoint of other data or settings, or a damaged one, is not gone on from.
        """
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                state = json.loads(str(stored["state"]))
                if state["fingerprint"] != self.fingerprint:
                    return None
                network.optimizer.build(network.trainable_variables)
                variables = network.optimizer.variables
                for i, variable in enumerate(variables):
                    variable.assign(stored[f"optimizer{i}"])
                n_weights = len(network.get_weights())
                network.set_weights([stored[f"weight{i}"] for i in range(n_weights)])
                best = [stored[f"best{i}"] for i in range(n_weights)]
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            return None
        return best, Progress(**state["progress"])

    def remove(self) -> None:
        """The training is over: nothing of it stays, nor drafts that a kill cut off."""
        self.path.unlink(missing_ok=True)
        for draft in self.path.parent.glob(f".{self.path.stem}-*{self.path.suffix}"):
            draft.unlink(missing_ok=True)
