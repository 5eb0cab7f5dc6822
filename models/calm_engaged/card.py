"""What a shipped network's card says: every figure with its interval, its controls and its limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from acquisition.signal import FloatArray
from models.calm_engaged.people import People
from models.calm_engaged.protocol import PersonResult, balanced_accuracy, people_mean
from models.evaluation.evidence import HORIZONS_S
from models.evaluation.metrics import bootstrap_interval, calibration_error, selective_accuracy

ATTRIBUTION = (
    "Contains data from EEG During Mental Arithmetic Tasks (PhysioNet; Zyma et al. 2019, Data 4(1):14), "
    "made available under the ODC Attribution License."
)
LIMITS = (
    "Calm against mentally engaged (quiet rest against mental subtraction), an arousal-like axis.",
    "It says nothing of happy or sad.",
    "Measured on 26 young people in a laboratory, linked-ear reference, no music; rest came first for all.",
    "Some people cannot be read: see per_person and unreadable.",
    (
        "The kinds of network there were to choose from were settled on these same people; which of them, "
        "and its weights, on none that it is judged by."
    ),
    (
        "Frequencies that are no mood tell these recordings apart by themselves (residue, 30_45hz). The "
        "network hears nothing above 30 Hz and was shown muscle; what still goes along with them is told by "
        "the controls through_the_network."
    ),
    "Muscle was put on by computer; the eyes' state in the task is not known.",
    "The network does not know whom it cannot read: no sign that would tell is used.",
)
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
LIMIT = {
    "residue": 0.55,
    "residue_in_one_band": 0.55,
    "residue_through_the_network": 0.55,
    "residue_in_one_band_through_the_network": 0.55,
    "30_45hz_through_the_network": 0.55,
    "30_45hz_in_one_band_through_the_network": 0.55,
    "swapped_baseline": 0.15,
    "early_against_late_rest": 0.55,
    "shuffled": 0.55,
    "tensed_rest": 0.10,
}
SHIPS_BY = (
    "a network ships only where the 95 % interval of each of these controls on people kept aside reaches its "
    "limit or lies below it"
)


def figures(results: Sequence[PersonResult], seed: int) -> dict[str, Any]:
    """Leave-one-person-out figures by horizon, with the bootstrap interval over people."""
    out: dict[str, Any] = {"chance": 0.5, "majority": 0.5, "people": len(results)}
    per_person = {h: np.array([balanced_accuracy(r.rest[h], r.task[h]) for r in results]) for h in HORIZONS_S}
    out["balanced_accuracy"] = {h: _round(people_mean(results, h)) for h in HORIZONS_S}
    out["interval_95"] = {
        h: [_round(v) for v in bootstrap_interval(per_person[h], seed=seed)] for h in HORIZONS_S
    }
    out["recall"] = {
        "rest": {
            h: _mean([float(np.mean(r.rest[h] <= 0)) for r in results if len(r.rest[h])]) for h in HORIZONS_S
        },
        "arith": {
            h: _mean([float(np.mean(r.task[h] > 0)) for r in results if len(r.task[h])]) for h in HORIZONS_S
        },
    }
    out["per_person"] = {
        r.name: {h: _round(float(per_person[h][i])) for h in HORIZONS_S} for i, r in enumerate(results)
    }
    out["spread"] = {
        h: [_round(float(np.nanquantile(per_person[h], q))) for q in (0.0, 0.25, 0.5, 0.75, 1.0)]
        for h in HORIZONS_S
    }
    out["calibration_error"] = {h: _round(calibration_error(*pooled(results, h))) for h in HORIZONS_S}
    out["coverage"] = {
        h: {
            f"{p.coverage:g}": _round(p.balanced_accuracy)
            for p in selective_accuracy(*pooled(results, h), COVERAGES)
        }
        for h in HORIZONS_S
    }
    return out


def pooled(results: Sequence[PersonResult], horizon: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Probability, engaged and weight (n,) over all people, each person and state weighing the same."""
    p, y, w = [], [], []
    for result in results:
        for engaged, logits in ((0.0, result.rest[horizon]), (1.0, result.task[horizon])):
            if len(logits):
                p.append(1 / (1 + np.exp(-logits)))
                y.append(np.full(len(logits), engaged))
                w.append(np.full(len(logits), 1 / len(logits)))
    return np.concatenate(p), np.concatenate(y), np.concatenate(w)


def built_in_controls(results: Sequence[PersonResult]) -> dict[str, Any]:
    """The two controls that need no second training: swapped baseline, and early against late rest."""
    return {
        "swapped_baseline": {
            h: _mean([float(np.mean(r.swapped[h] > 0)) for r in results if len(r.swapped[h])])
            for h in HORIZONS_S
        },
        "early_against_late_rest": {
            h: _mean([balanced_accuracy(r.early[h], r.late[h]) for r in results]) for h in HORIZONS_S
        },
    }


UNSURE = 0.62
"""Confidence below which the engine names no side (``inference.classification.smoothing``)."""


def unreadable(results: Sequence[PersonResult], horizon: str = "10s") -> dict[str, Any]:
    """Who the network itself would call unreadable: it stays unsure in more than half of what it hears."""
    unsure = [
        r.name
        for r in results
        if np.mean(np.abs(np.concatenate([r.rest[horizon], r.task[horizon]])) < np.log(UNSURE / (1 - UNSURE)))
        > 0.5
    ]
    chance = [r.name for r in results if balanced_accuracy(r.rest[horizon], r.task[horizon]) < 0.6]
    return {
        "declared": unsure,
        "share_declared": round(len(unsure) / len(results), 4),
        "below_0.60": chance,
        "share_below_0.60": round(len(chance) / len(results), 4),
    }


def residue_and_score(
    residue: People, results: Sequence[PersonResult], horizon: str = "10s"
) -> dict[str, Any]:
    """Whether the score leans on the residue: people whose 52-62 Hz power fell in the task, against those
    in whom it rose. A network that reads the residue is wrong about the smaller group.
    """
    score = {r.name: balanced_accuracy(r.rest[horizon], r.task[horizon]) for r in results}
    groups: dict[str, list[float]] = {"fell": [], "rose": []}
    for person in residue.people:
        change = float(person.task.features.mean() - person.rest.features.mean())
        groups["rose" if change > 0 else "fell"].append(score[person.name])
    return {name: {"people": len(found), "balanced_accuracy": _mean(found)} for name, found in groups.items()}


def kept(controls: Mapping[str, Mapping[str, Any]], on: str) -> dict[str, Any]:
    """Whose controls they are, and which stay inside their limit after 10 s: by their mean, and by their
    interval, which is what ships by.
    """
    judged = {name: limit for name, limit in LIMIT.items() if name in controls}
    return {
        "on": on,
        "mean_inside": {name: controls[name]["10s"] <= limit for name, limit in judged.items()},
        "interval_reaches": {name: least(controls[name]) <= limit for name, limit in judged.items()},
    }


def least(control: Mapping[str, Any]) -> float:
    """The low end of a control's interval over people; its mean where it has none."""
    low: float | None = control.get("interval_95", [None])[0]
    return float(control["10s"]) if low is None else low


def not_reaching(controls: Mapping[str, Mapping[str, Any]]) -> str:
    """In words which controls' intervals lie above their limits; empty where all reach them."""
    return "; ".join(
        f"{name} is at least {least(controls[name]):.2f} on people kept aside, its limit is {limit}"
        for name, limit in LIMIT.items()
        if name in controls and least(controls[name]) > limit
    )


def interval(values: Sequence[float], seed: int) -> list[float | None]:
    """The 95 % bootstrap interval of the mean over people."""
    low, high = bootstrap_interval(np.array(values), seed=seed)
    return [_round(low), _round(high)]


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if np.isfinite(value)]
    return _round(float(np.mean(known))) if known else None


def _round(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
