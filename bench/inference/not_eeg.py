"""What is no EEG, before the gate for heads and behind it; what that refuses of real EEG; and what it costs.

``python bench/inference/not_eeg.py FOLDER`` writes bench/results/not_eeg.json and .md; the folder holds
`eegmat`, `muse` and `openbci`.

A minute of a person's real rest, then half a minute of the signal, through the engine's pipeline with the
network that ships for the montage. The limits were set on 18 people, put in order by the SHA-256 of
`not-eeg:` and their name; the other eight were read apart, and all signals follow the rest of these. The
split is not clean: a first look covered all 26, and limits of straightness were tightened after the
figures of the eight.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT), str(ROOT / "tests")]

from measuring import in_turns, one_core, write  # noqa: E402

one_core()

import numpy as np  # noqa: E402

from acquisition.readers.npz_people import PeopleSet, open_people  # noqa: E402
from acquisition.readers.opening import open_recording  # noqa: E402
from acquisition.signal import EegChunk, FloatArray, StreamInfo  # noqa: E402
from inference.baseline.baseline import Baseline  # noqa: E402
from inference.emotion import NO_HEAD, EmotionState, Reading, SignalQuality  # noqa: E402
from inference.networks.litert_classifier import LiteRtClassifier  # noqa: E402
from inference.networks.manifest import Manifest  # noqa: E402
from inference.networks.model_store import ModelStore  # noqa: E402
from inference.pipeline import Pipeline, PipelineSettings  # noqa: E402
from inference.preprocessing.front_end import FrontEnd  # noqa: E402
from inference.preprocessing.plausibility import Plausibility  # noqa: E402
from inference.window_reader import WindowReader  # noqa: E402
from models.calm_engaged.montages import SHIPPED, ShippedMontage  # noqa: E402
from support.recordings.not_eeg import coloured, not_eeg  # noqa: E402

DEVELOPMENT = 18
REST_S, SIGNAL_S, WITHIN_S = 64.0, 30.0, 10.0
FILES = {
    "Muse, 120 s": ("muse/clean.csv", ("AF7", "AF8", "TP9", "TP10")),
    "OpenBCI Cyton, 90 s (blinks, jaw, eyes closed)": (
        "openbci/OpenBCI_GUI-v6-blinks-jawClench-alpha.txt",
        ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2"),
    ),
}


@contextmanager
def no_gate() -> Iterator[None]:
    """The pipeline as it was before."""
    with (
        patch.object(Plausibility, "judge", lambda *_: None),
        patch.object(Baseline, "too_loud", lambda *_: False),
    ):
        yield


def kept_aside(people: PeopleSet) -> list[str]:
    """Who had no part in the limits."""
    order = sorted(people.people, key=lambda name: hashlib.sha256(f"not-eeg:{name}".encode()).hexdigest())
    return sorted(order[DEVELOPMENT:])


def readings_of(samples_uv: FloatArray, rate_hz: float, manifest: Manifest) -> list[Reading]:
    """Everything the pipeline says of samples (n_channels, n_samples), read by the network that ships."""
    settings = PipelineSettings(
        temperature=manifest.temperature, population_scale=np.array(manifest.population_scale)
    )
    classifier = LiteRtClassifier(manifest)
    pipeline = Pipeline(StreamInfo("x", "x", classifier.channels, rate_hz), classifier, settings)
    times_s = np.arange(samples_uv.shape[1]) / rate_hz
    readings: list[Reading] = []
    for first in range(0, len(times_s), 64):
        part = slice(first, first + 64)
        readings += pipeline.push(EegChunk(samples_uv[:, part], times_s[part]))
    classifier.close()
    return readings


def late_states(readings: list[Reading]) -> list[EmotionState]:
    return [r for r in readings if isinstance(r, EmotionState) and r.at_s > REST_S + WITHIN_S]


def signal_figures(people: PeopleSet, montage: ShippedMontage, manifest: Manifest) -> dict[str, Any]:
    """By signal: the share of states that name an emotion before, and are unreliable behind the gate."""
    rows = [people.channels.index(channel) for channel in montage.channels]
    told: dict[str, dict[str, Any]] = {}
    for person in kept_aside(people):
        rest_uv = people.part_uv(f"{person}_rest")[rows]
        rest, end = round(REST_S * people.rate_hz), round((REST_S + SIGNAL_S) * people.rate_hz)
        strange = not_eeg(rest_uv[:, rest:end], people.rate_hz)
        for name, strange_uv in (strange | shared_noise(rest_uv[:, rest:end], people.rate_hz)).items():
            samples_uv = np.concatenate([rest_uv[:, :rest], strange_uv], axis=1)
            with no_gate():
                before = late_states(readings_of(samples_uv, people.rate_hz, manifest))
            readings = readings_of(samples_uv, people.rate_hz, manifest)
            told.setdefault(name, {"before": [], "behind": [], "first_s": [], "reasons": Counter()})
            one = told[name]
            one["before"] += [(state.emotion, state.confidence) for state in before]
            one["behind"] += [state.status == "unreliable" for state in late_states(readings)]
            first = [
                r.at_s
                for r in readings
                if isinstance(r, EmotionState) and r.at_s > REST_S and r.status == "unreliable"
            ]
            one["first_s"].append(round(first[0] - REST_S, 1) if first else None)
            one["reasons"] += Counter(
                channel.reasons[-1]
                for r in readings
                if isinstance(r, SignalQuality) and r.at_s > REST_S + WITHIN_S
                for channel in r.channels[:1]
                if channel.reasons
            )
    return {name: _summed(one) for name, one in told.items()}


def shared_noise(like_uv: FloatArray, rate_hz: float) -> dict[str, FloatArray]:
    """Noise that neighbours share as they would in a head: the hardest, shaped as ``like_uv``."""
    rng = np.random.default_rng(9)
    n, m = like_uv.shape
    own, one = coloured(rng, n, m, 1.0, rate_hz), coloured(rng, 1, m, 1.0, rate_hz)
    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return {
        "pink noise, half of it shared by all": 10 * np.sqrt(0.5) * (own + one),
        "pink noise, half of a neighbour's each": 10 * 0.5**apart @ own,
    }


def _summed(one: dict[str, Any]) -> dict[str, Any]:
    named = [(emotion, confidence) for emotion, confidence in one["before"] if emotion != "unknown"]
    word = Counter(emotion for emotion, _ in named).most_common(1)
    late = [first for first in one["first_s"] if first is None or first > WITHIN_S]
    return {
        "named_before": round(len(named) / len(one["before"]), 3),
        "word_before": word[0][0] if word else "",
        "confidence_before": round(float(np.mean([c for _, c in named])), 2) if named else None,
        "unreliable_behind": round(float(np.mean(one["behind"])), 3),
        "people_not_refused_within_10s": len(late),
        "slowest_s": max((first for first in one["first_s"] if first is not None), default=None),
        "reasons": [reason for reason, _ in one["reasons"].most_common(2)],
    }


def refused_share(readings: list[Reading]) -> tuple[int, int]:
    """Windows that contact alone would let through, and of these those that are no head's or too loud."""
    quality = [r for r in readings if isinstance(r, SignalQuality)]
    refused = sum(bool((NO_HEAD | {"level"}) & set(r.channels[0].reasons)) for r in quality)
    return sum(r.worn for r in quality) + refused, refused


def real_figures(people: PeopleSet, montage: ShippedMontage, manifest: Manifest) -> dict[str, Any]:
    """Of rest and then the task of each person."""
    rows = [people.channels.index(channel) for channel in montage.channels]
    found: dict[str, list[tuple[int, int]]] = {"development": [], "kept_aside": []}
    for person in people.people:
        parts = [people.part_uv(f"{person}_{part}")[rows] for part in ("rest", "arith")]
        told = refused_share(readings_of(np.concatenate(parts, axis=1), people.rate_hz, manifest))
        found["kept_aside" if person in kept_aside(people) else "development"].append(told)
    return {
        who: {
            "people": len(told),
            "windows": sum(all_ for all_, _ in told),
            "refused": sum(refused for _, refused in told),
            "worst_person": round(max(refused / all_ for all_, refused in told), 4),
        }
        for who, told in found.items()
    }


def file_figures(folder: Path, store: ModelStore) -> dict[str, Any]:
    """Of the recordings of headsets, by the network of as many electrodes."""
    found = {}
    for title, (name, channels) in FILES.items():
        recording = open_recording(folder / name)
        manifest = store.get("calm-engaged-muse4" if len(channels) == 4 else "calm-engaged-cyton8")
        rows = [recording.info.channels.index(channel) for channel in channels]
        samples_uv = recording.samples_uv[rows]
        told = refused_share(readings_of(samples_uv, recording.info.rate_hz, manifest))
        found[title] = {"windows": told[0], "refused": told[1]}
    return found


def cost(montage: ShippedMontage, manifest: Manifest) -> dict[str, dict[str, float]]:
    """Processor time of reading one window, without the gate and with it."""
    n = len(montage.channels)
    noise = np.random.default_rng(0).standard_normal((n, 2000))
    front = FrontEnd(128.0, n, PipelineSettings())
    window = list(front.push(noise, np.arange(2000) / 128))[-1]
    readers = [
        WindowReader(manifest.feature_schema, montage.channels, 128.0, 128.0) for _ in ("before", "behind")
    ]
    readers[0]._plausibility = Silent()
    at_s = itertools.count(2.0, 0.5)

    def read(reader: WindowReader) -> None:
        reader.read(replace(window, end_s=next(at_s)))

    return in_turns({"before": lambda: read(readers[0]), "behind": lambda: read(readers[1])})


class Silent(Plausibility):
    """Measures nothing and refuses nothing."""

    def judge(self, *_: object) -> None:
        """Nothing is said."""


def main() -> None:
    """All montages, then the files."""
    folder = Path(sys.argv[1])
    people = open_people(folder / "eegmat" / "eegmat_128hz_int16.npz")
    store = ModelStore((ROOT / "models" / "pretrained",))
    document: dict[str, Any] = {"files": file_figures(folder, store)}
    for montage in SHIPPED:
        manifest = store.get(montage.name)
        document[montage.name] = {
            "signals": signal_figures(people, montage, manifest),
            "real": real_figures(people, montage, manifest),
            "cost": cost(montage, manifest),
        }
        print(montage.name, "done", flush=True)
    write("not_eeg", "What is no EEG", document, lines_of(document))


def lines_of(document: dict[str, Any]) -> list[str]:
    """Three tables in Markdown."""
    names = [montage.name for montage in SHIPPED]
    lines = [*(__doc__ or "").strip().splitlines(), ""]
    lines += [
        "Before: the word that most of the seconds from ten on got, how many got any, with what confidence.",
        "Behind: how many of these seconds are `unreliable`, and why; in brackets the slowest first refusal,",
        "in seconds, and for how many of the eight it came later than 10 s or never.",
        "",
    ]
    heads = [f"{n}: before | behind" for n in names]
    lines += [f"| signal | {' | '.join(heads)} |", "|" + "---|" * (1 + 2 * len(names))]
    for signal in document[names[0]]["signals"]:
        cells = []
        for name in names:
            one = document[name]["signals"][signal]
            sure = f", {one['confidence_before']:.2f}" if one["confidence_before"] is not None else ""
            cells.append(f"{one['word_before'] or 'none'} {one['named_before']:.2f}{sure}")
            late = one["people_not_refused_within_10s"]
            cells.append(
                f"{one['unreliable_behind']:.2f} {', '.join(one['reasons'])} ({one['slowest_s']}, {late})"
            )
        lines.append(f"| {signal} | {' | '.join(cells)} |")
    lines += ["", "| real windows | " + " | ".join(names) + " |", "|" + "---|" * (1 + len(names))]
    for who in ("development", "kept_aside"):
        told = [document[name]["real"][who] for name in names]
        cells = [
            f"{100 * t['refused'] / t['windows']:.2f} % of {t['windows']} (worst person"
            f" {100 * t['worst_person']:.1f} %)"
            for t in told
        ]
        lines.append(f"| {who.replace('_', ' ')}, {told[0]['people']} people | {' | '.join(cells)} |")
    for title, told in document["files"].items():
        share = 100 * told["refused"] / told["windows"]
        lines.append(f"| {title} | {share:.2f} % of {told['windows']} | | |")
    lines += ["", "| one window read, median us | before | behind |", "|---|---|---|"]
    for name in names:
        both = document[name]["cost"]
        lines.append(f"| {name} | {both['before']['p50_us']} | {both['behind']['p50_us']} |")
    return lines


if __name__ == "__main__":
    main()
