"""Everyone read once by a network they had no part in: its files' figures and all its controls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.readers.npz_people import open_people
from acquisition.signal import FloatArray
from models.calm_engaged.card import figures, interval
from models.calm_engaged.controls import SHUFFLES, exchanged, taught
from models.calm_engaged.fisher import FisherSettings
from models.calm_engaged.kept_aside.disturbed import called_engaged, disturbed, without_each
from models.calm_engaged.kept_aside.frequencies import (
    Said,
    by_themselves,
    frequencies,
    through_the_network,
)
from models.calm_engaged.kept_aside.parts import PeoplePart, asked, each_part, pairs_of
from models.calm_engaged.kept_aside.settled import Settled, settled, summary
from models.calm_engaged.montages import ShippedMontage
from models.calm_engaged.people import People
from models.calm_engaged.protocol import BASELINE_S, PersonResult, balanced_accuracy, people_mean, read_person
from models.calm_engaged.selection import Choice
from models.calm_engaged.training import RecipeSettings
from models.conversion.manifest_writing import VARIANTS
from models.evaluation.evidence import HORIZONS_S, LogitFunction

SHORT_S = 10.0
RESIDUE, ONE_BAND = "52-62Hz in 5", "52-62Hz in 1"
MUSCLE, MUSCLE_ONE = "30-45Hz in 5", "30-45Hz in 1"
WHEN = ("since_the_rest", "from_the_start")
WHOSE = "people kept aside: no part in choosing or training"


@dataclass(slots=True)
class Heard:
    """What was heard of everybody, part after part."""

    parts: list[dict[str, Any]] = field(default_factory=list)
    read: dict[str, list[PersonResult]] = field(default_factory=dict)
    short: list[PersonResult] = field(default_factory=list)
    alone: dict[str, list[PersonResult]] = field(default_factory=dict)
    along: dict[str, dict[str, Said]] = field(default_factory=dict)
    beside: dict[str, dict[str, Said]] = field(default_factory=dict)
    shuffled: list[list[PersonResult]] = field(default_factory=lambda: [[] for _ in range(SHUFFLES)])
    lacking: dict[str, dict[str, dict[str, float]]] = field(
        default_factory=lambda: {when: {} for when in WHEN}
    )
    tensed: dict[str, dict[str, float]] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)


def judge(
    data: Path,
    people: People,
    montage: ShippedMontage,
    settings: RecipeSettings,
    seed: int,
    say: Callable[[str], None],
    choice: Choice | None = None,
) -> dict[str, Any]:
    """The card's section on people kept aside; ``people`` have their disturbances."""
    opened = open_people(data)
    stretches = frequencies(data, montage, settings, people)
    given = disturbed(data, people, seed)
    heard, rng = Heard(), np.random.default_rng(seed)
    for part in each_part(people, stretches[RESIDUE], montage, settings, choice):
        fisher = part.settings.fisher
        heard.parts.append({"people": list(part.aside), "chosen_by_the_others": choice_of(fisher)})
        for variant in VARIANTS:
            logit, close = asked(part.manifest, variant)
            _read(heard.read.setdefault(variant, []), people, part, logit)
            if variant == "int8":
                _read(heard.short, people, part, logit, SHORT_S)
            close()
        for name, results in by_themselves(stretches, part).items():
            heard.alone.setdefault(name, []).extend(results)
        logit = part.network.logit
        for name, people_told in stretches.items():
            along, beside = through_the_network(people_told, people, part, logit)
            heard.along.setdefault(name, {}).update(along)
            heard.beside.setdefault(name, {}).update(beside)
        for draw in heard.shuffled:
            _read(draw, people, part, _shuffled(people, part, rng))
        for when, table in heard.lacking.items():
            table.update(without_each(people, given, part, logit, from_the_start=when == WHEN[1]))
        heard.tensed.update(called_engaged(people, given, part, logit))
        heard.settled += [settled(part.manifest, opened, name) for name in part.aside]
        say(f"  kept aside {', '.join(part.aside)}: chosen without them {fisher}")
    return document(heard, seed)


def choice_of(fisher: FisherSettings) -> dict[str, Any]:
    """What was chosen, for a card."""
    return {
        "shrinkage": fisher.shrinkage,
        "hears_hz": list(fisher.hears_hz),
        "disturbed": fisher.disturbed,
    }


def _read(
    out: list[PersonResult],
    people: People,
    part: PeoplePart,
    logit: LogitFunction,
    baseline_s: float = BASELINE_S,
) -> None:
    length = part.network.sequence_length
    out += [
        read_person(people, person, logit, length, part.scale, baseline_s)
        for person in people.people
        if part.is_aside(person.name)
    ]


def _shuffled(people: People, part: PeoplePart, rng: np.random.Generator) -> LogitFunction:
    others = people.only(part.is_other)
    pairs = pairs_of(others, part.settings, part.scale)
    mixed = exchanged(pairs, len(part.settings.train_baselines_s), rng)
    return taught(others, mixed, part.settings).logit


def document(heard: Heard, seed: int) -> dict[str, Any]:
    """All of it in plain numbers."""
    by_file = {variant: figures(results, seed) for variant, results in heard.read.items()}
    short = figures(heard.short, seed)["balanced_accuracy"]
    usual = by_file["int8"]["balanced_accuracy"]
    return {
        "whose": WHOSE,
        "people": len(heard.read["int8"]),
        "parts": heard.parts,
        "files": by_file,
        "controls": controls(heard, seed),
        "beside_the_controls": {
            "30_45hz": _alone(heard.alone[MUSCLE], seed),
            "30_45hz_in_one_band": _alone(heard.alone[MUSCLE_ONE], seed),
            "accuracy_without_the_residue": _said(heard.beside[RESIDUE].values(), seed),
            "accuracy_without_30_45hz": _said(heard.beside[MUSCLE].values(), seed),
        },
        "rest_of_10s": {
            "balanced_accuracy": short,
            "costs": {h: round(usual[h] - short[h], 4) for h in HORIZONS_S},
        },
        "one_electrode_missing": {when: _lacking(table, seed) for when, table in heard.lacking.items()},
        "settled": summary(heard.settled),
    }


def controls(heard: Heard, seed: int) -> dict[str, Any]:
    """Every control after 10 s with its interval over people; after one window and 30 s where it has them."""
    read = heard.read["int8"]
    found: dict[str, Any] = {
        "residue": _alone(heard.alone[RESIDUE], seed),
        "residue_in_one_band": _alone(heard.alone[ONE_BAND], seed),
        "residue_through_the_network": _said(heard.along[RESIDUE].values(), seed),
        "residue_in_one_band_through_the_network": _said(heard.along[ONE_BAND].values(), seed),
        "30_45hz_through_the_network": _said(heard.along[MUSCLE].values(), seed),
        "30_45hz_in_one_band_through_the_network": _said(heard.along[MUSCLE_ONE].values(), seed),
        "swapped_baseline": _over(
            {h: [_called_engaged(r.swapped[h]) for r in read] for h in HORIZONS_S}, seed
        ),
        "early_against_late_rest": _over(
            {h: [balanced_accuracy(r.early[h], r.late[h]) for r in read] for h in HORIZONS_S}, seed
        ),
        "shuffled": _spread(heard.shuffled),
    }
    rise = {times: [one[times] - one["0"] for one in heard.tensed.values()] for times in ("1", "3")}
    found["tensed_rest"] = {
        "10s": _mean(rise["1"]),
        "interval_95": interval(rise["1"], seed),
        "with_more_muscle": _mean(rise["3"]),
        "called_engaged_as_it_is": _mean([one["0"] for one in heard.tensed.values()]),
    }
    return found


def _called_engaged(logits: FloatArray) -> float:
    return float(np.mean(logits > 0)) if len(logits) else float("nan")


def _alone(results: Sequence[PersonResult], seed: int) -> dict[str, Any]:
    return _over({h: [balanced_accuracy(r.rest[h], r.task[h]) for r in results] for h in HORIZONS_S}, seed)


def _said(said: Iterable[Said], seed: int) -> dict[str, Any]:
    return _over({"10s": [balanced_accuracy(one.rest, one.task) for one in said]}, seed)


def _over(by_horizon: Mapping[str, Sequence[float]], seed: int) -> dict[str, Any]:
    means: dict[str, Any] = {h: _mean(values) for h, values in by_horizon.items()}
    return means | {"interval_95": interval(by_horizon["10s"], seed)}


def _spread(draws: Sequence[Sequence[PersonResult]]) -> dict[str, Any]:
    """Of draws, not of people: how far luck alone goes."""
    by_draw = {h: [people_mean(draw, h) for draw in draws] for h in HORIZONS_S}
    ten = by_draw["10s"]
    return {h: _mean(values) for h, values in by_draw.items()} | {
        "draws": len(draws),
        "least": round(min(ten), 4),
        "most": round(max(ten), 4),
        "standard_deviation": round(float(np.std(ten)), 4),
    }


def _lacking(table: Mapping[str, Mapping[str, float]], seed: int) -> dict[str, Any]:
    by_electrode = {
        channel: _mean([one[channel] for one in table.values()]) for channel in next(iter(table.values()))
    }
    each = [float(np.nanmean(list(one.values()))) for one in table.values()]
    return {"10s": _mean(each), "interval_95": interval(each, seed), "by_electrode": by_electrode}


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if np.isfinite(value)]
    return round(float(np.mean(known)), 4) if known else None
