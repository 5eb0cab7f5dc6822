"""The people dealt into parts; each part is read by what the others chose and learned."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from acquisition.signal import FloatArray
from inference.networks.litert_classifier import LiteRtClassifier
from inference.networks.manifest import Manifest
from models.calm_engaged.controls import taught
from models.calm_engaged.conversion import convert
from models.calm_engaged.fisher import StatePair
from models.calm_engaged.montages import ShippedMontage
from models.calm_engaged.network import CalmEngaged
from models.calm_engaged.people import People
from models.calm_engaged.protocol import BASELINE_S, scored_windows
from models.calm_engaged.selection import Choice, select
from models.calm_engaged.shipping import write_network
from models.calm_engaged.training import RecipeSettings
from models.datasets.against_rest import sequences
from models.evaluation.evidence import LogitFunction

PARTS = 3
N_REPRESENTATIVE = 400
SURELY = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class PeoplePart:
    """Who is kept aside, and what all others chose and learned: the network, and its files for live use."""

    aside: tuple[str, ...]
    settings: RecipeSettings
    network: CalmEngaged
    manifest: Manifest
    scale: FloatArray
    """The others' spread of rest (n_features,)."""

    def is_aside(self, name: str) -> bool:
        return name in self.aside

    def is_other(self, name: str) -> bool:
        return name not in self.aside


def parts_of(names: Sequence[str], parts: int = PARTS) -> list[tuple[str, ...]]:
    """The people in parts, by a hash of the name and nothing else."""
    order = sorted(names, key=lambda name: hashlib.sha256(f"calm-engaged:{name}".encode()).hexdigest())
    return [tuple(sorted(order[part::parts])) for part in range(parts)]


def pairs_of(people: People, settings: RecipeSettings, scale: FloatArray) -> list[StatePair]:
    """(rest, task) of everyone, (n, n_features) each, every person with every training baseline in turn.

    ``scale`` (n_features,) is the population's.
    """
    return [
        (scored.rest, scored.task)
        for person in people.people
        for seconds in settings.train_baselines_s
        for scored in (scored_windows(people, person, seconds, scale),)
    ]


def learned(people: People, settings: RecipeSettings) -> CalmEngaged:
    """The network of all these people."""
    _, scale = people.population()
    return taught(people, pairs_of(people, settings, scale), settings)


def each_part(
    people: People,
    residue: People,
    montage: ShippedMontage,
    settings: RecipeSettings,
    choice: Choice | None = None,
) -> Iterator[PeoplePart]:
    """Choose and train without each part in turn; a part's files are there until the next is asked for.

    Its ``scale`` is (n_features,).
    """
    for aside in parts_of([person.name for person in people.people]):

        def other(name: str, aside: tuple[str, ...] = aside) -> bool:
            return name not in aside

        others = people.only(other)
        fisher, _ = select(others, residue.only(other), "", settings.train_baselines_s, choice)
        chosen = replace(settings, fisher=fisher)
        network = learned(others, chosen)
        with tempfile.TemporaryDirectory() as folder:
            manifest = written(Path(folder), montage, network, others)
            yield PeoplePart(aside, chosen, network, manifest, others.population()[1])


def written(
    folder: Path, montage: ShippedMontage, network: CalmEngaged, people: People, seed: int = 7
) -> Manifest:
    """A network's two files and manifest, with two of these people's sequences as golden inputs."""
    runs, engaged = everybody(people, network.sequence_length)
    picked = np.random.default_rng(seed).permutation(len(runs))
    files = convert(network, runs[picked[:N_REPRESENTATIVE]])
    place = network.logit(runs) * np.where(engaged > 0, 1, -1)
    # one sequence of either state that is named rightly and not at the very edge
    golden = runs[[np.flatnonzero((engaged == side) & (place > 0.5) & (place < 1.8))[0] for side in (0, 1)]]
    return write_network(folder, montage, network, files, people, golden)


def everybody(people: People, length: int) -> tuple[FloatArray, FloatArray]:
    """Sequences of all people (n, length, n_features) and whether each is of the task (n,)."""
    runs, engaged = [], []
    _, scale = people.population()
    for person in people.people:
        scored = scored_windows(people, person, BASELINE_S, scale)
        for side, windows in ((0.0, scored.rest), (1.0, scored.task)):
            found = sequences(windows, length)
            runs.append(found)
            engaged.append(np.full(len(found), side))
    return np.concatenate(runs), np.concatenate(engaged)


def asked(manifest: Manifest, variant: str) -> tuple[LogitFunction, Callable[[], None]]:
    """A file's log-odds of being engaged, and how to let go of it."""
    classifier = LiteRtClassifier(manifest, variant)

    def logit(runs: FloatArray) -> FloatArray:
        p = np.clip([classifier.predict(run)[1] for run in runs], SURELY, 1 - SURELY)
        result: FloatArray = np.log(p / (1 - p)) / manifest.temperature
        return result

    return logit, classifier.close
