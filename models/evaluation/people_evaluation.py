"""A stored network read on people it never saw, with LiteRT alone: ``neuroplayer models evaluate``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.port import UnknownSourceError
from acquisition.signal import FloatArray
from inference.baseline.baseline import MIN_SCALE, Baseline
from inference.networks.litert_classifier import LiteRtClassifier
from inference.networks.manifest import Manifest, map_channels, missing_channels, read_card
from inference.offline import FeatureSequence, feature_sequence
from inference.pipeline import PipelineSettings
from inference.port import ClassifierError
from models.datasets.against_rest import own_baseline
from models.datasets.identity import known_as
from models.errors import DatasetError
from models.evaluation.evaluation import Evaluation, Examples, figures
from models.evaluation.evidence import HORIZONS_S, LogitFunction, evidence_logits, windows_in
from models.evaluation.metrics import bootstrap_interval
from models.evaluation.state_people import StatePeople, open_state_people

MIN_BASELINE_S, MAX_BASELINE_S = 4.0, 600.0
STATES = ("rest", "arith")
SEED = 7
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class PersonRead:
    """One person's evidence logits (n,) by state and horizon; ``why_not`` says why there are none."""

    name: str
    logits: Mapping[str, Mapping[str, FloatArray]]
    why_not: str = ""

    def recall(self, state: str, horizon: str) -> float:
        """Share of the state's evidence named rightly; NaN where there is none."""
        found = self.logits.get(state, {}).get(horizon, np.zeros(0))
        if not len(found):
            return float("nan")
        return float(np.mean(found > 0 if state == "arith" else found <= 0))

    def balanced(self, horizon: str) -> float:
        """Mean of both recalls; NaN where one is missing."""
        return (self.recall("rest", horizon) + self.recall("arith", horizon)) / 2


def evaluate_people(
    manifest: Manifest,
    data: Path,
    *,
    baseline_s: float | None = None,
    variant: str = "int8",
    progress: Progress = lambda _: None,
) -> tuple[dict[str, Any], tuple[Evaluation, ...]]:
    """Figures of the network on an .npz of people or on ``bids:FOLDER``, the people may be any: plain
    numbers for scripts, and one evaluation for each length of evidence for tables and reports.

    ``baseline_s`` is how much of each person's own first rest is used (default: the manifest's; 0 for the
    population's rest). Raises ``UnknownSourceError``, ``DatasetError`` and ``ClassifierError``.
    """
    wanted_s = manifest.baseline_s if baseline_s is None else baseline_s
    if not 0 <= wanted_s <= MAX_BASELINE_S or 0 < wanted_s < MIN_BASELINE_S:
        raise DatasetError(
            f"the baseline must be 0 or from {MIN_BASELINE_S:g} to {MAX_BASELINE_S:g} seconds, "
            f"got {wanted_s:g}"
        )
    people = open_state_people(data)
    electrodes = _electrodes(manifest, people)
    classifier = LiteRtClassifier(manifest, variant)

    def logit(runs: FloatArray) -> FloatArray:
        p = np.array([classifier.predict(run)[1] for run in runs])
        p = np.clip(p, 1e-6, 1 - 1e-6)
        result: FloatArray = np.log(p / (1 - p)) / manifest.temperature
        return result

    read = []
    try:
        for name in people.people:
            progress(name)
            read.append(_read(manifest, people, name, electrodes, wanted_s, logit))
    finally:
        classifier.close()
    known = _people_trained_on(manifest, people, electrodes[0])
    read += [PersonRead(name, {}, why) for name, why in people.left_out.items()]
    return _document(manifest, data, read, wanted_s, variant, known), tuple(_evaluations(manifest.name, read))


def _evaluations(name: str, read: Sequence[PersonRead]) -> Iterator[Evaluation]:
    for horizon in HORIZONS_S:
        p, y, who = [], [], []
        for person in read:
            for engaged, state in enumerate(STATES):
                logits = person.logits.get(state, {}).get(horizon, np.zeros(0))
                p.append(1 / (1 + np.exp(-logits)))
                y.append(np.full(len(logits), engaged))
                who.append(np.full(len(logits), person.name, dtype=object))
        engaged_p, truth = np.concatenate(p), np.concatenate(y)
        if len(np.unique(truth)) == 2:
            examples = Examples(engaged_p, truth, np.concatenate(who).astype(str))
            told = np.stack([1 - engaged_p, engaged_p], axis=1)
            yield Evaluation(name, f"unseen people, {horizon}", figures(examples, told, SEED))


def _electrodes(manifest: Manifest, people: StatePeople) -> tuple[str, ...]:
    chosen = map_channels(manifest, people.channels)
    if chosen is None:
        lacking = ", ".join(missing_channels(manifest, people.channels))
        raise DatasetError(
            f"{people.path}: {manifest.name} needs the electrodes {lacking or manifest.channels}, "
            f"the set has {', '.join(people.channels)}"
        )
    return chosen


def _read(
    manifest: Manifest,
    people: StatePeople,
    name: str,
    electrodes: tuple[str, ...],
    baseline_s: float,
    logit: LogitFunction,
) -> PersonRead:
    settings = PipelineSettings(
        window_s=manifest.window_s, hop_s=manifest.hop_s, model_rate_hz=manifest.rate_hz
    )

    def features(samples_uv: FloatArray, rate_hz: float) -> FeatureSequence:
        return feature_sequence(
            samples_uv, rate_hz, manifest.channels, manifest.feature_schema, settings, electrodes=electrodes
        )

    found = people.windows(name, electrodes, features, baseline_s)
    try:
        base = _baseline(manifest, found.rest, baseline_s)
    except ValueError as error:
        return PersonRead(name, {}, str(error))
    windows = found.scored
    logits = {
        state: {
            horizon: evidence_logits(
                base.z(part),
                logit,
                manifest.sequence_length,
                windows_in(seconds, manifest.window_s, manifest.hop_s),
            )
            for horizon, seconds in HORIZONS_S.items()
        }
        for state, part in windows.items()
    }
    lacking = [state for state in STATES if not len(windows[state])]
    return PersonRead(name, logits, f"no clean window of {' and '.join(lacking)}" if lacking else "")


def _baseline(manifest: Manifest, rest: FeatureSequence, baseline_s: float) -> Baseline:
    scale = np.array(manifest.population_scale)
    if baseline_s == 0:
        centre = np.array(manifest.population_centre)
        return Baseline(manifest.feature_schema, manifest.channels, centre, np.maximum(scale, MIN_SCALE), 0.0)
    return own_baseline(
        rest,
        baseline_s,
        schema=manifest.feature_schema,
        channels=manifest.channels,
        population_scale=scale,
    )


def _document(
    manifest: Manifest, data: Path, read: list[PersonRead], baseline_s: float, variant: str, known: list[str]
) -> dict[str, Any]:
    if not read:
        raise UnknownSourceError(f"{data}: no people")
    table = {h: np.array([person.balanced(h) for person in read]) for h in HORIZONS_S}
    return {
        "name": manifest.name,
        "sha256": manifest.files[variant].sha256,
        "variant": variant,
        "data": str(data),
        "trained_on_these": bool(known),
        "people_trained_on": known,
        "baseline_s": baseline_s,
        "people": len(read),
        "chance": 0.5,
        "balanced_accuracy": {h: _mean(table[h]) for h in HORIZONS_S},
        "interval_95": {h: [_plain(v) for v in bootstrap_interval(table[h], seed=SEED)] for h in HORIZONS_S},
        "recall": {
            state: {h: _mean(np.array([p.recall(state, h) for p in read])) for h in HORIZONS_S}
            for state in STATES
        },
        "per_person": {person.name: {h: _plain(person.balanced(h)) for h in HORIZONS_S} for person in read},
        "not_read": {person.name: person.why_not for person in read if person.why_not},
    }


def _people_trained_on(manifest: Manifest, people: StatePeople, electrode: str) -> list[str]:
    """Those of the set whose samples the network's card knows, whatever the file and the names."""
    try:
        provenance = read_card(manifest).get("provenance")
    except ClassifierError:
        return []
    known = provenance.get("people_samples") if isinstance(provenance, dict) else None
    if not isinstance(known, dict):
        return []
    return [name for name in people.people if known_as(people.first_uv(name, electrode), known)]


def _mean(values: FloatArray) -> float | None:
    known = values[np.isfinite(values)]
    return _plain(float(known.mean())) if len(known) else None


def _plain(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
