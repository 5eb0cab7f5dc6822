"""Chooses the classifier that fits a headset's electrodes and builds the pipeline around it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from acquisition.montage import canonical
from acquisition.port import UnknownSourceError
from acquisition.signal import StreamInfo
from daemon.engine.baseline_store import BaselineStore
from daemon.engine.prepared import PreparedPipeline
from daemon.settings import Settings
from daemon.wearers.keeping import Keeping
from daemon.wearers.wearer import wearer_of
from inference.baseline.baseline import Baseline
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.classification.smoothing import SettleSettings
from inference.classification.valence import ValenceNetwork, ValenceReader, read_valence
from inference.networks.manifest import Manifest, map_channels, require_channels
from inference.networks.model_store import ModelStore
from inference.networks.vetting import load_network
from inference.pipeline import Pipeline, PipelineSettings, TooLate, never_too_late
from inference.port import Classifier, ClassifierError
from inference.preprocessing.resampling import UnreadableRateError

log = logging.getLogger(__name__)

DEFAULT_REST_S = 45.0
VARIANTS = ("int8", "float", "keras")
"""The full-int8 file is the smaller and faster one; its card holds the agreement with the float file. Keras
runs a network that has no LiteRT file, where the ``train`` extra is installed.
"""
MAX_NOTE = 500


class PipelineMaker:
    """Builds pipelines for the streams of one engine; a network's file is tried in a child once."""

    def __init__(
        self,
        settings: Settings,
        roots: Sequence[Path],
        too_late: TooLate = never_too_late,
        keeping: Keeping | None = None,
    ) -> None:
        self._settings, self._store, self._too_late = settings, ModelStore(tuple(roots)), too_late
        self._keeping = keeping or Keeping()
        self._vetted: set[str] = set()

    def __call__(self, info: StreamInfo) -> PreparedPipeline:
        """A pipeline for this stream: the best network that fits, else the band-power rule; with reasons.

        Raises ``UnknownSourceError`` for a rate that cannot be read.
        """
        made = StreamPipeline(info, self._settings, self._store, self._vetted, self._too_late, self._keeping)
        try:
            return made.prepare()
        except UnreadableRateError as error:
            raise UnknownSourceError(f"source: {info.device}: {error}") from error


class StreamPipeline:
    """Builds the pipeline for one stream and swaps its classifier while it runs.

    Every pipeline begins with the band-power rule on the chosen network's own features; the network takes
    over once it has been tried in a child process. A network that fails, then or later, leaves the rule.
    """

    def __init__(
        self,
        info: StreamInfo,
        settings: Settings,
        store: ModelStore,
        vetted: set[str],
        too_late: TooLate,
        keeping: Keeping,
    ) -> None:
        self._info, self._settings, self._store, self._vetted = info, settings, store, vetted
        self._too_late, self._keeping = too_late, keeping
        self._baselines = BaselineStore(wearer_of(settings).baselines)
        self._seen = store.signature()
        self._manifest = self._choose()
        self._classifier: Classifier
        self._pipeline: Pipeline
        self._notes: list[str] = []
        self._valence_note = ""
        self._told = ""
        self._refused = False
        self._calibrated: object = None

    def prepare(self) -> PreparedPipeline:
        """A fresh pipeline, for the rest that begins now."""
        self._notes = self._choice_notes()
        self._classifier = rule = self._rule()
        chosen = self._channels()
        baseline = self._stored(rule)
        self._pipeline = Pipeline(
            self._info,
            rule,
            self._pipeline_settings(),
            baseline,
            channels=chosen,
            stored=baseline is not None,
            fallback=rule,
            valence=self._valence(),
            too_late=self._too_late,
        )
        return self._prepared(loading=self._manifest is not None)

    def _choose(self) -> Manifest | None:
        return self._store.choose_for(self._info.channels)

    def _choice_notes(self) -> list[str]:
        notes = [f"a stored network cannot be used: {problem}" for problem in self._store.problems()[:3]]
        selected = self._store.selected()
        if selected is not None and (self._manifest is None or self._manifest.name != selected):
            try:
                require_channels(self._store.get(selected), self._info.channels)
            except ClassifierError as error:
                notes.append(f"the selected network is not used: {error}")
        if self._manifest is None:
            notes.append(f"no stored network fits the electrodes {', '.join(self._info.channels[:8])}")
            return [*notes, _RULE_NOTE]
        wanted = zip(self._manifest.channels, self._channels(), strict=True)
        return notes + [_stand_in(have, want) for want, have in wanted if want != have]

    def _channels(self) -> tuple[str, ...]:
        if self._manifest is None:
            return self._info.channels
        return map_channels(self._manifest, self._info.channels) or self._manifest.channels

    def _rule(self) -> BandPowerClassifier:
        if self._manifest is None:
            return BandPowerClassifier(self._info.channels)
        return BandPowerClassifier(self._manifest.channels, self._manifest.feature_schema)

    def _pipeline_settings(self) -> PipelineSettings:
        manifest = self._manifest
        wanted = self._settings.baseline
        rest_s = DEFAULT_REST_S if wanted == "last" else float(wanted)
        if manifest is None or not manifest.population_centre:
            rest_s = rest_s or DEFAULT_REST_S
        if manifest is None:
            return PipelineSettings(baseline_s=rest_s, mains_hz="auto", settle=self._settle(SettleSettings()))
        return PipelineSettings(
            window_s=manifest.window_s,
            hop_s=manifest.hop_s,
            model_rate_hz=manifest.rate_hz,
            baseline_s=rest_s,
            mains_hz="auto",
            population_scale=np.array(manifest.population_scale) if manifest.population_scale else None,
            population_centre=np.array(manifest.population_centre) if manifest.population_centre else None,
            settle=self._settle(SettleSettings(evidence_s=manifest.evidence_s)),
        )

    def _settle(self, settle: SettleSettings) -> SettleSettings:
        dwell_s = self._settings.dwell_s
        return settle if dwell_s is None else replace(settle, dwell_s=dwell_s)

    def _valence(self) -> ValenceReader | None:
        """The wearer's own, where it was calibrated for this network's features."""
        path = wearer_of(self._settings).valence
        self._calibrated, self._valence_note = _stamp(path), ""
        if self._manifest is None or not path.exists():
            return None
        try:
            reader = read_valence(path)
        except ClassifierError as error:
            self._valence_note = f"your valence calibration is not used: {error}"
            return None
        network = reader.network
        if _of_valence(network) != _read_by(self._manifest):
            self._valence_note = "your valence calibration belongs to another network: valence stays unknown"
            return None
        share = f"{network.balanced_accuracy:.0%} on {network.pieces} held-out pieces"
        self._valence_note = f"valence by your own calibration: {share}"
        return reader

    @property
    def _tries_stored(self) -> bool:
        return self._settings.baseline == "last" or self._settings.rest_again

    def _stored(self, classifier: Classifier) -> Baseline | None:
        if not self._tries_stored:
            return None
        found = self._baselines.load(self._info, classifier.feature_schema, classifier.channels)
        self._notes.append(
            "the last stored rest is used, if the signal agrees with it" if found else "no rest is stored yet"
        )
        return found

    def _prepared(self, *, loading: bool) -> PreparedPipeline:
        return PreparedPipeline(
            pipeline=self._pipeline,
            model=self._pipeline.model_id,
            baseline_s=0.0 if self._pipeline.baseline is not None else self._pipeline_settings().baseline_s,
            notes=tuple(note[:MAX_NOTE] for note in (*self._notes, self._valence_note) if note),
            close=self._close,
            on_baseline=self._remember,
            load=self._load if loading else None,
            renew=self._renew,
        )

    def _load(self) -> Callable[[], PreparedPipeline]:
        """In a thread: load the network; what is returned is called between two chunks."""
        manifest = self._manifest
        assert manifest is not None  # noqa: S101 - asked for only when there is one
        notes: list[str] = []
        for variant in (name for name in VARIANTS if name in manifest.files):
            try:
                classifier = self._load_file(manifest, variant)
            except ClassifierError as error:
                log.warning("%s", error)
                note = f"a network was not loaded: {error}"
                notes += [] if note in notes else [note]  # LiteRT is missing for all files alike
                continue
            return lambda: self._with_network(classifier, manifest, notes)
        return lambda: self._without_network(notes)

    def _load_file(self, manifest: Manifest, variant: str) -> Classifier:
        if variant != "keras":
            return load_network(manifest, variant, self._vetted)
        from models.networks.keras_classifier import (
            KerasClassifier,  # TensorFlow: only for a network that needs it
        )

        return KerasClassifier(manifest)

    def _with_network(
        self, classifier: Classifier, manifest: Manifest, notes: Sequence[str]
    ) -> PreparedPipeline:
        self._notes += notes
        old, self._classifier = self._classifier, classifier
        self._pipeline.use(classifier, manifest.temperature)
        old.close()
        return self._prepared(loading=False)

    def _without_network(self, notes: Sequence[str]) -> PreparedPipeline:
        self._notes += [*notes, _RULE_NOTE]
        return self._prepared(loading=False)

    def _renew(self) -> PreparedPipeline | None:
        if self._pipeline.trouble != self._told:
            self._told = self._pipeline.trouble
            if self._told:
                log.warning("the network has failed: %s", self._told)
                return self._without_network(())
        if self._pipeline.stored_refused and self._tries_stored and not self._refused:
            self._refused = True
            self._notes.append("the stored rest does not agree with the signal: a new one is taken")
            return self._prepared(loading=False)
        calibrated = _stamp(wearer_of(self._settings).valence)
        if calibrated != self._calibrated:
            self._pipeline.use_valence(self._valence())
            return self._prepared(loading=False)
        seen = self._store.signature()
        if seen == self._seen:
            return None
        self._seen = seen
        return self._take_over(self._choose())

    def _take_over(self, manifest: Manifest | None) -> PreparedPipeline | None:
        """The stored networks have changed: swap in place where features are the same, else begin anew."""
        now, self._manifest = self._manifest, manifest
        if _identity(now) == _identity(manifest):
            return None
        log.info("another network is stored or selected: %s", manifest.name if manifest else "none fits")
        if now is not None and manifest is not None and _features(now) == _features(manifest):
            self._notes = self._choice_notes()
            return self._prepared(loading=True)
        self._classifier.close()
        return self.prepare()

    def _remember(self) -> None:
        rest = self._pipeline.baseline
        if rest is not None and rest.seconds > 0 and self._keeping.on:
            self._baselines.save(self._info, rest)

    def _close(self) -> None:
        self._classifier.close()


_RULE_NOTE = "the band-power rule reads the signal: coarse, and not measured on people"


def _stamp(path: Path) -> object:
    """Changes when the file is written, replaced or deleted."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size)


def _of_valence(network: ValenceNetwork) -> object:
    return (network.feature_schema, network.channels, network.window_s, network.hop_s)


def _read_by(manifest: Manifest) -> object:
    return (manifest.feature_schema, manifest.channels, manifest.window_s, manifest.hop_s)


def _identity(manifest: Manifest | None) -> object:
    return None if manifest is None else (manifest.name, manifest.version, manifest.files)


def _features(manifest: Manifest) -> object:
    """What must be equal for a swap that keeps filters, window and baseline."""
    return (
        manifest.channels,
        manifest.feature_schema,
        manifest.rate_hz,
        manifest.window_s,
        manifest.hop_s,
        manifest.evidence_s,
    )


def _stand_in(have: str, want: str) -> str:
    """How an electrode was found: the same place by another name, or the nearest one."""
    how = "the same place" if canonical(have) == canonical(want) else "nearest"
    return f"{have} stands in for {want} ({how})"
