"""Chooses the classifier that fits a headset's electrodes and builds the pipeline around it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from acquisition.signal import StreamInfo
from daemon.baseline_store import BaselineStore
from daemon.roles.engine import Prepared
from daemon.settings import Settings
from inference.model_store import Manifest, ModelStore, map_channels
from inference.pipeline import Pipeline, PipelineSettings
from inference.port import Classifier, ClassifierError

log = logging.getLogger(__name__)

VARIANT = "int8"
"""The full-int8 file is the smaller and faster one; its card holds the agreement with the float file."""


def prepare_pipeline(info: StreamInfo, settings: Settings, roots: Sequence[Path]) -> Prepared:
    """A pipeline for this stream: the best network that fits, else the band-power rule, with the reason."""
    notes: list[str] = []
    manifest = _choose(info.channels, roots, notes)
    classifier = _load(manifest, notes) if manifest is not None else None
    if manifest is None or classifier is None:
        return _rule(info, settings, notes)
    chosen = map_channels(manifest, info.channels) or manifest.channels
    notes += [
        f"{have} stands in for {want}"
        for want, have in zip(manifest.channels, chosen, strict=True)
        if want != have
    ]
    pipeline_settings = PipelineSettings(
        window_s=manifest.window_s,
        hop_s=manifest.hop_s,
        model_rate_hz=manifest.rate_hz,
        baseline_s=baseline_seconds(settings),
        temperature=manifest.temperature,
        population_scale=np.array(manifest.population_scale),
        population_centre=np.array(manifest.population_centre),
    )
    return _prepared(info, classifier, pipeline_settings, settings, notes, chosen)


def baseline_seconds(settings: Settings) -> float:
    """Seconds of rest to ask for when no stored baseline is used."""
    return DEFAULT_REST_S if settings.baseline == "last" else float(settings.baseline)


DEFAULT_REST_S = 45.0


def _choose(channels: Sequence[str], roots: Sequence[Path], notes: list[str]) -> Manifest | None:
    try:
        manifest = ModelStore(tuple(roots)).choose_for(channels)
    except ClassifierError as error:
        notes.append(f"the stored networks cannot be read: {error}"[:500])
        return None
    if manifest is None:
        notes.append(f"no stored network fits the electrodes {', '.join(channels[:8])}")
    return manifest


def _load(manifest: Manifest, notes: list[str]) -> Classifier | None:
    from inference.litert_classifier import LiteRtClassifier

    variant = VARIANT if VARIANT in manifest.files else "float"
    try:
        return LiteRtClassifier(manifest, variant)
    except ClassifierError as error:
        log.warning("%s", error)
        notes.append(f"the network was not loaded: {error}"[:500])
        return None


def _rule(info: StreamInfo, settings: Settings, notes: list[str]) -> Prepared:
    from inference.band_power_classifier import BandPowerClassifier

    notes.append("the band-power rule reads the signal: coarse, and not measured on people")
    rest_s = baseline_seconds(settings) or DEFAULT_REST_S
    pipeline_settings = PipelineSettings(baseline_s=rest_s)
    classifier = BandPowerClassifier(info.channels)
    return _prepared(info, classifier, pipeline_settings, settings, notes, info.channels)


def _prepared(
    info: StreamInfo,
    classifier: Classifier,
    pipeline_settings: PipelineSettings,
    settings: Settings,
    notes: list[str],
    channels: tuple[str, ...],
) -> Prepared:
    store = BaselineStore(Path(settings.state_dir) / "baselines")
    baseline = None
    if settings.baseline == "last":
        baseline = store.load(info, classifier.feature_schema, classifier.channels)
        notes.append(
            "the last stored rest is used" if baseline else "no rest is stored yet: a new one is taken"
        )
    pipeline = Pipeline(info, classifier, pipeline_settings, baseline, channels=channels)

    def remember() -> None:
        if pipeline.baseline is not None and pipeline.baseline.seconds > 0:
            store.save(info, pipeline.baseline)

    return Prepared(
        pipeline=pipeline,
        model=classifier.model_id,
        baseline_s=0.0 if pipeline.baseline is not None else pipeline_settings.baseline_s,
        notes=tuple(notes),
        close=classifier.close,
        on_baseline=remember,
    )
