"""Chooses the classifier that fits a headset's electrodes and builds the pipeline around it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from acquisition.signal import FloatArray, StreamInfo
from daemon.baseline_store import BaselineStore
from daemon.roles.engine import Prepared
from daemon.settings import Settings
from inference.band_power_classifier import BandPowerClassifier
from inference.model_store import Manifest, ModelStore, map_channels
from inference.pipeline import Pipeline, PipelineSettings
from inference.port import Classifier, ClassifierError
from inference.settle import SettleSettings

log = logging.getLogger(__name__)

DEFAULT_REST_S = 45.0
VARIANTS = ("int8", "float")
"""The full-int8 file is the smaller and faster one; its card holds the agreement with the float file."""


class PipelineMaker:
    """Builds pipelines for the streams of one engine; a network's file is tried in a child process once."""

    def __init__(self, settings: Settings, roots: Sequence[Path]) -> None:
        self._settings = settings
        self._roots = tuple(roots)
        self._vetted: set[str] = set()
        self._store = BaselineStore(Path(settings.state_dir) / "baselines")

    def __call__(self, info: StreamInfo) -> Prepared:
        """A pipeline for this stream: the best network that fits, else the band-power rule; with reasons."""
        notes: list[str] = []
        manifest = self._choose(info.channels, notes)
        classifier = self._load(manifest, notes) if manifest is not None else None
        if manifest is None or classifier is None:
            notes.append("the band-power rule reads the signal: coarse, and not measured on people")
            rule = BandPowerClassifier(info.channels)
            settings = PipelineSettings(baseline_s=self._rest_s or DEFAULT_REST_S, mains_hz="auto")
            return self._prepared(info, rule, settings, info.channels, notes)
        chosen = map_channels(manifest, info.channels) or manifest.channels
        pairs = zip(manifest.channels, chosen, strict=True)
        notes += [f"{have} stands in for {want}" for want, have in pairs if want != have]
        return self._prepared(info, classifier, self._for_network(manifest), chosen, notes)

    @property
    def _rest_s(self) -> float:
        wanted = self._settings.baseline
        return DEFAULT_REST_S if wanted == "last" else float(wanted)

    def _for_network(self, manifest: Manifest) -> PipelineSettings:
        return PipelineSettings(
            window_s=manifest.window_s,
            hop_s=manifest.hop_s,
            model_rate_hz=manifest.rate_hz,
            baseline_s=self._rest_s,
            mains_hz="auto",
            temperature=manifest.temperature,
            population_scale=_array(manifest.population_scale),
            population_centre=_array(manifest.population_centre),
            settle=SettleSettings(evidence_s=manifest.evidence_s),
        )

    def _choose(self, channels: Sequence[str], notes: list[str]) -> Manifest | None:
        try:
            manifest = ModelStore(self._roots).choose_for(channels)
        except ClassifierError as error:
            notes.append(f"the stored networks cannot be read: {error}"[:500])
            return None
        if manifest is None:
            notes.append(f"no stored network fits the electrodes {', '.join(channels[:8])}")
        return manifest

    def _load(self, manifest: Manifest, notes: list[str]) -> Classifier | None:
        for variant in VARIANTS:
            if variant not in manifest.files:
                continue
            try:
                return self._load_file(manifest, variant)
            except ClassifierError as error:
                log.warning("%s", error)
                notes.append(f"a network was not loaded: {error}"[:500])
        return None

    def _load_file(self, manifest: Manifest, variant: str) -> Classifier:
        from inference.litert_classifier import LiteRtClassifier
        from inference.vetting import Vetting

        digest = manifest.files[variant].sha256
        if digest not in self._vetted:
            with Vetting() as vetting:
                vetting.check(manifest, variant)
            self._vetted.add(digest)
        return LiteRtClassifier(manifest, variant)

    def _prepared(
        self,
        info: StreamInfo,
        classifier: Classifier,
        settings: PipelineSettings,
        channels: tuple[str, ...],
        notes: list[str],
    ) -> Prepared:
        stored = None
        if self._settings.baseline == "last":
            stored = self._store.load(info, classifier.feature_schema, classifier.channels)
            notes.append("the last stored rest is tried" if stored else "no rest is stored yet")
        pipeline = Pipeline(
            info, classifier, settings, stored, channels=channels, stored=True, fallback=_rule_for(classifier)
        )

        def remember() -> None:
            if pipeline.baseline is not None and pipeline.baseline.seconds > 0:
                self._store.save(info, pipeline.baseline)

        return Prepared(
            pipeline=pipeline,
            model=classifier.model_id,
            baseline_s=0.0 if pipeline.baseline is not None else settings.baseline_s,
            notes=tuple(notes),
            close=classifier.close,
            on_baseline=remember,
        )


def _rule_for(classifier: Classifier) -> Classifier | None:
    """The rule on the same features, where it knows their layout."""
    try:
        return BandPowerClassifier(classifier.channels, classifier.feature_schema)
    except ValueError:
        return None


def _array(values: Sequence[float]) -> FloatArray | None:
    return np.array(values) if values else None
