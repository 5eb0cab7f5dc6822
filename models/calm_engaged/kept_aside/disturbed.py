"""The same people with an electrode missing, or with muscle put on their rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from acquisition.signal import FloatArray
from inference.pipeline import PipelineSettings
from models.calm_engaged.kept_aside.parts import PeoplePart
from models.calm_engaged.people import People, Person, load_people
from models.calm_engaged.protocol import BASELINE_S, balanced_accuracy
from models.datasets.disturbances import with_muscle, without_electrode
from models.evaluation.evidence import LogitFunction, evidence_logits, windows_in

TENSED_TIMES = (1.0, 3.0)
"""Times an electrode's own 30-45 Hz power that muscle adds to rest."""
N_REST = 60.0
MIN_BASELINE_WINDOWS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Disturbed:
    """The people as loaded with each electrode flat, and with muscle of each strength."""

    lacking: Mapping[str, People]
    tensed: Mapping[str, People]


def disturbed(data: Path, people: People, seed: int) -> Disturbed:
    """Load them all: as many times as there are electrodes, and once for each strength."""
    rng = np.random.default_rng(seed)
    load = partial(load_people, data, people.channels, people.schema, PipelineSettings())

    def lack(row: int) -> People:
        return load(change=lambda samples_uv, _: without_electrode(samples_uv, row))

    def tense(times: float) -> People:
        return load(change=lambda uv, rate_hz: with_muscle(uv, rate_hz, times, rng, "flat"))

    return Disturbed(
        {channel: lack(row) for row, channel in enumerate(people.channels)},
        {f"{times:g}": tense(times) for times in TENSED_TIMES},
    )


def named(people: People, name: str) -> Person:
    """The person of that name."""
    return next(person for person in people.people if person.name == name)


def without_each(
    people: People, given: Disturbed, part: PeoplePart, logit: LogitFunction, *, from_the_start: bool
) -> dict[str, dict[str, float]]:
    """Balanced accuracy after 10 s by person and electrode that is missing: already in the rest, or since.

    ``logit`` is asked about runs (n, length, n_features).
    """
    table: dict[str, dict[str, float]] = {}
    for channel, lacking in given.lacking.items():
        for name in part.aside:
            changed = named(lacking, name)
            if from_the_start and len(changed.rest.clean(0, N_REST)) < MIN_BASELINE_WINDOWS:
                table.setdefault(name, {})[channel] = float("nan")
                continue
            whose, rests = (lacking, changed) if from_the_start else (people, named(people, name))
            base = whose.baseline(rests, "rest", BASELINE_S, part.scale)
            rest, task = base.z(changed.rest.clean(N_REST)), base.z(changed.task.features)
            said = [_after_10_s(people, windows, part, logit) for windows in (rest, task)]
            table.setdefault(name, {})[channel] = balanced_accuracy(*said)
    return table


def called_engaged(
    people: People, given: Disturbed, part: PeoplePart, logit: LogitFunction
) -> dict[str, dict[str, float]]:
    """By person the share of rest called engaged after 10 s: as it is (``0``), and by times of muscle.

    ``logit`` is asked about runs (n, length, n_features).
    """
    table: dict[str, dict[str, float]] = {}
    for name in part.aside:
        base = people.baseline(named(people, name), "rest", BASELINE_S, part.scale)
        for times, whose in (("0", people), *given.tensed.items()):
            windows = base.z(named(whose, name).rest.clean(N_REST))
            said = _after_10_s(people, windows, part, logit)
            table.setdefault(name, {})[times] = float(np.mean(said > 0)) if len(said) else float("nan")
    return table


def _after_10_s(people: People, windows: FloatArray, part: PeoplePart, logit: LogitFunction) -> FloatArray:
    n_windows = windows_in(10.0, people.window_s, people.hop_s)
    return evidence_logits(windows, logit, part.network.sequence_length, n_windows)
