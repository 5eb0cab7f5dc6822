"""Everything tried for the calm-engaged networks, each with its four controls, in one table.

``python bench/calm_engaged_tried.py DATA.npz`` writes bench/results/calm_engaged_tried.json and .md.

Every row is leave-one-person-out on 26 people with 60 s of rest as baseline, figures after 10 s of evidence
where nothing else is said. The rows have fixed settings, so the best of them is an optimistic figure: what
ships is chosen by inner folds and quoted in its card.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.signal import FloatArray
from inference.pipeline import PipelineSettings
from models.calm_engaged.card import LIMIT, built_in_controls
from models.calm_engaged.fisher import FisherSettings, StatePair, fit_direction
from models.calm_engaged.montages import FULL19, MUSE4
from models.calm_engaged.people import People, load_people, load_residue
from models.calm_engaged.protocol import Fit, PersonResult, balanced_accuracy, leave_one_out, people_mean
from models.evidence import HORIZONS_S, LogitFunction, sequences

RESULTS = Path(__file__).parent / "results"
LENGTH = 17
MONTAGES = (MUSE4, FULL19)


def over_time(fit: Callable[[FloatArray, FloatArray, FloatArray], Any], distance: bool = False) -> Fit:
    """A classifier of the mean z-scores of 10 s; with ``distance`` it is also told |z|."""

    def look(runs: FloatArray) -> FloatArray:
        mean = runs.mean(axis=1)
        return np.concatenate([mean, np.abs(mean)], axis=1) if distance else mean

    def train(pairs: Sequence[StatePair], without: str) -> LogitFunction:
        x, y, w = [], [], []
        for pair in pairs:
            for state, part in enumerate(pair):
                runs = sequences(part, LENGTH, 5)
                x.append(look(runs))
                y.append(np.full(len(runs), state))
                w.append(np.full(len(runs), 1 / max(1, len(runs))))
        weight = np.concatenate(w)
        model = fit(np.concatenate(x), np.concatenate(y), weight / weight.mean())
        return lambda runs: logit_of(model, look(runs))

    return train


def logit_of(model: Any, x: FloatArray) -> FloatArray:
    if not len(x):
        return np.zeros(0)
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(x))
    p = np.clip(model.predict_proba(x)[:, 1], 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def fisher(settings: FisherSettings) -> Fit:
    def train(pairs: Sequence[StatePair], without: str) -> LogitFunction:
        direction = fit_direction(pairs, settings)
        return lambda runs: direction.along(runs).mean(axis=-1)

    return train


def lda(pairs: Sequence[StatePair], without: str) -> LogitFunction:
    """The reference: every window an example, Ledoit-Wolf shrinkage, equal priors."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x = np.concatenate([part for pair in pairs for part in pair])
    y = np.concatenate([np.full(len(part), state) for pair in pairs for state, part in enumerate(pair)])
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5]).fit(x, y)
    return lambda runs: runs.mean(axis=1) @ model.coef_[0] + model.intercept_[0]


def logistic(c: float) -> Fit:
    from sklearn.linear_model import LogisticRegression

    return over_time(lambda x, y, w: LogisticRegression(C=c, max_iter=500).fit(x, y, sample_weight=w))


def rbf(x: FloatArray, y: FloatArray, w: FloatArray) -> Any:
    from sklearn.svm import SVC

    return SVC(C=1.0, gamma="scale").fit(x, y, sample_weight=w)


def trees(x: FloatArray, y: FloatArray, w: FloatArray) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(200, min_samples_leaf=5, random_state=7).fit(x, y, sample_weight=w)


def rows() -> list[tuple[str, str, Fit]]:
    """(what, schema, fit)."""
    one = FisherSettings
    return [
        ("LDA on windows (the reference)", "de5@1", lda),
        ("LDA on windows, 22 finer bands", "de22@1", lda),
        ("LDA on windows, 22 bands, left and right averaged", "symde22@1", lda),
        ("Fisher over people, 5 bands, averaged", "symde5@1", fisher(one())),
        ("Fisher over people, 22 bands", "de22@1", fisher(one())),
        *(
            (
                f"Fisher over people, 22 bands, averaged, shrinkage {s:g}",
                "symde22@1",
                fisher(one(shrinkage=s)),
            )
            for s in (0.1, 0.2, 0.3, 0.5, 0.7)
        ),
        ("the same, within share 1 only, shrinkage 0.5", "symde22@1", fisher(one((1.0,), 0.5))),
        *((f"logistic on 10 s means, C {c:g}", "symde22@1", logistic(c)) for c in (0.001, 0.1)),
        ("RBF support vectors on 10 s means", "symde22@1", over_time(rbf)),
        ("extra trees on 10 s means", "symde22@1", over_time(trees)),
        ("logistic on z and |z|, C 0.1", "symde22@1", abs_logistic()),
    ]


def abs_logistic() -> Fit:
    from sklearn.linear_model import LogisticRegression

    return over_time(lambda x, y, w: LogisticRegression(C=0.1, max_iter=500).fit(x, y, sample_weight=w), True)


def shuffled(people: People, fit: Fit, draws: int = 2) -> float:
    rng = np.random.default_rng(7)

    def mixed(pairs: Sequence[StatePair], without: str) -> LogitFunction:
        swap = rng.permutation(len(pairs)) < len(pairs) // 2
        return fit([(t, r) if s else (r, t) for (r, t), s in zip(pairs, swap, strict=True)], without)

    return float(
        np.mean([people_mean(list(leave_one_out(people, mixed, LENGTH)), "10s") for _ in range(draws)])
    )


def measure(people: People, residue: People, fit: Fit) -> dict[str, Any]:
    results: list[PersonResult] = list(leave_one_out(people, fit, LENGTH))
    built = built_in_controls(results)
    short = list(leave_one_out(people, fit, LENGTH, test_baseline_s=10.0))
    row = {f"balanced_accuracy_{h}": round(people_mean(results, h), 3) for h in HORIZONS_S}
    row["baseline_10s_10s"] = round(people_mean(short, "10s"), 3)
    row["residue"] = round(people_mean(list(leave_one_out(residue, fit, LENGTH)), "10s"), 3)
    row["swapped_baseline"] = round(built["swapped_baseline"]["10s"], 3)
    row["early_against_late_rest"] = round(built["early_against_late_rest"]["10s"], 3)
    row["shuffled"] = round(shuffled(people, fit), 3)
    row["controls_kept"] = all(row[name] <= limit for name, limit in LIMIT.items())
    scores = [balanced_accuracy(r.rest["10s"], r.task["10s"]) for r in results]
    row["people_below_0.60"] = int(np.sum(np.array(scores) < 0.6))
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--quick", action="store_true", help="4 electrodes alone")
    given = parser.parse_args()
    table = []
    held: dict[tuple[str, str], tuple[People, People]] = {}
    for montage in MONTAGES[: 1 if given.quick else 2]:
        for what, schema, fit in rows():
            key = (montage.name, schema)
            if key not in held:
                settings = PipelineSettings()
                held[key] = (
                    load_people(given.data, montage.channels, schema, settings),
                    load_residue(given.data, montage.channels, schema, settings, 5),
                )
            row = {"electrodes": len(montage.channels), "what": what} | measure(*held[key], fit)
            print(row, flush=True)
            table.append(row)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "calm_engaged_tried.json").write_text(json.dumps(table, indent=1) + "\n")
    heads = list(table[0])
    lines = ["| " + " | ".join(h.replace("_", " ") for h in heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(row[h]) for h in heads) + " |" for row in table]
    text = "# What was tried for the calm-engaged networks\n\n" + (__doc__ or "").split("\n\n")[2].strip()
    (RESULTS / "calm_engaged_tried.md").write_text(text + "\n\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
