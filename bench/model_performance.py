"""The Model Performance table: four architectures on eegmat, once as usually published and once honestly.

``python bench/model_performance.py DATA.npz [--architecture NAME ...] [--epochs N] [--folds N]`` writes
bench/results/model_performance.json, .md and .html after every row; rows of other architectures stay.
Leaky: windows split at random, so that neighbours from one recording stand on both sides. Honest: whole
people are held out, in folds. Same networks, same windows, same features (differential entropy in 5 bands of
19 electrodes, no baseline), same training.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from acquisition.montage import LAYOUTS
from inference.pipeline import PipelineSettings
from models.calm_engaged.people import load_people
from models.emotion_recognition_model import EmotionRecognitionModel
from models.evaluation.evaluation import Evaluation, Examples, FitPredict, Protocol, evaluate
from models.evaluation.evaluation_report import comparison_table, write_report
from models.networks.input_layout import InputLayout

RESULTS = Path(__file__).parent / "results"
PUBLISHED = {"cnn_bilstm": "75-90 %", "cnn": "70-85 %", "bilstm": "65-80 %", "dense": "60-75 %"}
ORDER = ("dense", "cnn", "bilstm", "cnn_bilstm")
PROTOCOLS: tuple[Protocol, ...] = ("random_windows", "people_folds")
EVERY = 4
"""Windows of 2 s every 2 s: no two share a sample, and yet neighbours leak."""


def examples_of(data: Path) -> Examples:
    people = load_people(data, LAYOUTS["1020-19"], "de5@1", PipelineSettings())
    X, y, who = [], [], []
    for person in people.people:
        for state, part in enumerate((person.rest, person.task)):
            # a masked feature takes its median, as a network cannot read NaN
            rows = part.features[::EVERY]
            X.append(np.where(np.isfinite(rows), rows, np.nanmedian(part.features, axis=0)))
            y.append(np.full(len(rows), state))
            who.append(np.full(len(rows), person.name))
    return Examples(np.concatenate(X).astype(np.float32), np.concatenate(y), np.concatenate(who))


def trainer(architecture: str, epochs: int, seed: int) -> FitPredict:
    def fit_predict(X, y, X_test):  # type: ignore[no-untyped-def]
        layout = InputLayout(("electrode", "band"), (19, 5))
        model = EmotionRecognitionModel((95,), 2, architecture, layout=layout, seed=seed)
        model.build_model(architecture)
        with tempfile.TemporaryDirectory() as folder:
            model.train(
                X, y, epochs, 64, validation_split=0, checkpoint_dir=folder, progress=False, resume=False
            )
        # columns of labels 0 and 1, in that order
        return np.asarray(model.predict_proba(X_test), dtype=np.float64)

    return fit_predict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--architecture", nargs="*", choices=list(ORDER), default=list(ORDER))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--folds", type=int, default=10, help="as many as people: one person left out")
    given = parser.parse_args()
    examples = examples_of(given.data)
    found = measured_before()
    for architecture in given.architecture:
        for protocol in PROTOCOLS:
            began = time.process_time()
            fit = trainer(architecture, given.epochs, 7)
            done = evaluate(architecture, examples, protocol, fit, n_folds=given.folds, seed=7)
            minutes = (time.process_time() - began) / 60
            done.figures.update(folds=given.folds, epochs=given.epochs, cpu_minutes=round(minutes, 1))
            found[architecture, protocol] = done
            print(architecture, protocol, done.figures["balanced_accuracy"], f"{minutes:.1f} min", flush=True)
            write([found[key] for key in ((a, p) for a in ORDER for p in PROTOCOLS) if key in found])


def measured_before() -> dict[tuple[str, str], Evaluation]:
    """Rows of architectures that are not measured anew stay."""
    path = RESULTS / "model_performance.json"
    rows = json.loads(path.read_text())["evaluations"] if path.exists() else []
    return {
        (row["model"], row["protocol"]): Evaluation(
            row["model"], row["protocol"], row["figures"], row["controls"]
        )
        for row in rows
    }


def write(found: Sequence[Evaluation]) -> None:
    RESULTS.mkdir(exist_ok=True)
    figures = found[0].figures
    note = (
        f"{figures['examples']} windows of 2 s of {figures['people']} people, no two share a sample; "
        "19 electrodes, 5 bands, no baseline; rest against mental arithmetic, chance 0.5. Plain accuracy is "
        "what is usually published; windows split at random leak, although none overlap. Whole people are "
        "held out in as many folds as said (26: one person at a time). Usually claimed: "
        + ", ".join(f"{name} {said}" for name, said in PUBLISHED.items())
        + "."
    )
    lines = comparison_table(found).splitlines()
    added = [("folds", "epochs", "CPU minutes"), ("---",) * 3]
    added += [tuple(str(one.figures[k]) for k in ("folds", "epochs", "cpu_minutes")) for one in found]
    table = "\n".join(f"{line} {' | '.join(more)} |" for line, more in zip(lines, added, strict=True))
    (RESULTS / "model_performance.md").write_text(f"# Model performance\n\n{note}\n\n{table}\n")
    write_report(RESULTS / "model_performance.html", "Model performance", found, note)


if __name__ == "__main__":
    main()
