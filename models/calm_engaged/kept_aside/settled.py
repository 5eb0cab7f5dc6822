"""The settled live state of people kept aside: the running engine's own pipeline over their recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from acquisition.readers.npz_people import PeopleSet
from acquisition.signal import EegChunk, FloatArray, Gap, StreamInfo
from inference.classification.smoothing import SettleSettings
from inference.emotion import EmotionState
from inference.networks.litert_classifier import LiteRtClassifier
from inference.networks.manifest import Manifest
from inference.pipeline import Pipeline, PipelineSettings

REST_S = 45.0
"""What a wearer is asked for, where nothing else is set (``daemon.engine.network_choice``)."""
SIDE: Mapping[str, str] = {"rest": "relaxed", "arith": "focused"}
VARIANT = "int8"
CHUNK_S = 1.0
PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Settled:
    """One person's states: the share of time with the right side, with the wrong one, and the seconds until
    the right one was first named (NaN: never), by state.
    """

    name: str
    right: Mapping[str, float]
    wrong: Mapping[str, float]
    settles_s: Mapping[str, float]


def settled(manifest: Manifest, people: PeopleSet, name: str) -> Settled:
    """Rest as a guided rest, the rest of it as a session, then the task after a gap, in one pipeline."""
    rows = [people.channels.index(channel) for channel in manifest.channels]
    settings = PipelineSettings(
        window_s=manifest.window_s,
        hop_s=manifest.hop_s,
        model_rate_hz=manifest.rate_hz,
        baseline_s=REST_S,
        mains_hz="auto",
        population_scale=np.array(manifest.population_scale),
        settle=SettleSettings(evidence_s=manifest.evidence_s),
    )
    classifier = LiteRtClassifier(manifest, VARIANT)
    info = StreamInfo("replay", name, manifest.channels, people.rate_hz)
    try:
        pipeline = Pipeline(info, classifier, settings)
        heard, begin_s = {}, 0.0
        for state in SIDE:
            samples_uv = people.part_uv(f"{name}_{state}")[rows]
            found = _states_of(pipeline, samples_uv, people.rate_hz, begin_s)
            heard[state] = [one for one in found if one.status != "calibrating"]
            begin_s += samples_uv.shape[1] / people.rate_hz
            pipeline.push(Gap(begin_s, begin_s + PAUSE_S, round(PAUSE_S * people.rate_hz), "lost"))
            begin_s += PAUSE_S
    finally:
        classifier.close()
    return Settled(
        name,
        {state: _share(heard[state], side) for state, side in SIDE.items()},
        {state: _share(heard[state], _other(side)) for state, side in SIDE.items()},
        {state: _until(heard[state], side) for state, side in SIDE.items()},
    )


def _states_of(
    pipeline: Pipeline, samples_uv: FloatArray, rate_hz: float, begin_s: float
) -> list[EmotionState]:
    step = round(CHUNK_S * rate_hz)
    found: list[EmotionState] = []
    for first in range(0, samples_uv.shape[1], step):
        part = samples_uv[:, first : first + step]
        times_s = begin_s + (first + np.arange(part.shape[1])) / rate_hz
        readings = pipeline.push(EegChunk(part, times_s))
        found += [one for one in readings if isinstance(one, EmotionState)]
    return found


def _other(side: str) -> str:
    return "focused" if side == "relaxed" else "relaxed"


def _share(states: Sequence[EmotionState], side: str) -> float:
    """Of the time in which anything could be said: bad signal is not this network's."""
    said = [one.emotion == side for one in states if one.status == "ok"]
    return float(np.mean(said)) if said else float("nan")


def _until(states: Sequence[EmotionState], side: str) -> float:
    at_s = [one.at_s for one in states if one.emotion == side]
    return at_s[0] - states[0].at_s if at_s else float("nan")


def summary(found: Sequence[Settled]) -> dict[str, Any]:
    """For a card: means over people, and how long it takes."""
    table: dict[str, Any] = {"rest_s": REST_S, "variant": VARIANT}
    for state, side in SIDE.items():
        seconds = np.array([one.settles_s[state] for one in found])
        reached = seconds[np.isfinite(seconds)]
        table["rest" if state == "rest" else "task"] = {
            "named": side,
            "share_right": round(float(np.nanmean([one.right[state] for one in found])), 4),
            "share_wrong": round(float(np.nanmean([one.wrong[state] for one in found])), 4),
            "people_who_reach_it": len(reached),
            "settles_s_median": round(float(np.median(reached)), 1) if len(reached) else None,
            "settles_s_90_percent": round(float(np.quantile(reached, 0.9)), 1) if len(reached) else None,
        }
    return table
