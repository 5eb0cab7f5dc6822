"""The wearer's baseline: robust, on trial when it was stored, refreshed slowly, and reversible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acquisition.signal import FloatArray
from inference.baseline.baseline import CLIP_Z, MIN_SCALE, Baseline, fit_baseline
from inference.baseline.guided_rest import RestCollector
from inference.baseline.keeper import MAX_DRIFT, BaselineKeeper
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.emotion import Affect, EmotionState, ModelId
from inference.pipeline import PipelineSettings

CHANNELS = ("TP9", "AF7", "AF8", "TP10")
SCHEMA = "symde5@1"
REST = np.random.default_rng(0).normal(size=(120, 10)) * 0.4 + np.arange(10)
RELAXED = EmotionState(0.0, "relaxed", Affect(None, -0.8), 0.9, "ok", 0.0, 1, ModelId("m"))


def _fit(rest: FloatArray, **changes: FloatArray) -> Baseline:
    return fit_baseline(rest, schema=SCHEMA, channels=CHANNELS, seconds=60.0, **changes)


def test_centre_and_spread_are_those_of_the_rest() -> None:
    baseline = _fit(REST)
    assert baseline.centre == pytest.approx(np.arange(10), abs=0.15)
    assert baseline.scale == pytest.approx(0.4 * np.ones(10), rel=0.35)


def test_a_tenth_of_wild_windows_hardly_moves_it() -> None:
    wild = REST.copy()
    wild[::10] += 50.0
    assert np.abs(_fit(wild).centre - _fit(REST).centre).max() < 0.15


def test_a_still_feature_and_a_large_departure_stay_in_bounds() -> None:
    rest = REST.copy()
    rest[:, 3] = 2.0
    baseline = _fit(rest)
    assert baseline.scale[3] == MIN_SCALE
    z = baseline.z(np.full(10, 1e9))
    assert z.max() == CLIP_Z


def test_a_masked_feature_reads_as_rest() -> None:
    features = np.arange(10.0) + 3
    features[4] = np.nan
    z = _fit(REST).z(features)
    assert z[4] == 0
    assert np.isfinite(z).all()


def test_a_feature_never_seen_at_rest_stays_at_rest() -> None:
    rest = REST.copy()
    rest[:, 7] = np.nan
    baseline = _fit(rest)
    assert np.isnan(baseline.centre[7])
    assert baseline.z(np.full(10, 5.0))[7] == 0


def test_the_populations_spread_steadies_a_short_rest() -> None:
    scale = _fit(REST[:6], population_scale=np.full(10, 0.4)).scale
    alone = _fit(REST[:6]).scale
    assert np.abs(np.log(scale / 0.4)).max() < np.abs(np.log(alone / 0.4)).max()


def test_too_little_rest_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="at least 4 windows of rest, got 3"):
        _fit(REST[:3])
    with pytest.raises(ValueError, match="at least one clean channel"):
        _fit(np.full((10, 10), np.nan))


def _keeper(stored: bool = False, **changes: float) -> BaselineKeeper:
    return BaselineKeeper(PipelineSettings(**changes), _fit(REST), stored=stored)


def test_a_stored_rest_that_agrees_is_kept() -> None:
    keeper = _keeper(stored=True)
    verdicts = [keeper.try_window(window) for window in REST[:25]]
    assert verdicts[:19] == ["pending"] * 19
    assert set(verdicts[19:]) == {"agrees"}
    assert not keeper.on_trial


def test_a_stored_rest_of_another_head_is_refused() -> None:
    keeper = _keeper(stored=True)
    verdicts = [keeper.try_window(window + 4.0) for window in REST[:20]]
    assert verdicts[-1] == "differs"


def test_a_stored_rest_is_not_refused_for_a_mood() -> None:
    """A shift of one spread in every feature is a state of mind, not another fit."""
    keeper = _keeper(stored=True)
    verdicts = [keeper.try_window(window - 0.4) for window in REST[:20]]
    assert verdicts[-1] == "agrees"


def test_a_masked_channel_during_the_trial_is_no_disagreement() -> None:
    keeper = _keeper(stored=True)
    rest = REST.copy()
    rest[:, :5] = np.nan
    assert [keeper.try_window(window) for window in rest[:20]][-1] == "agrees"


def test_trusted_rest_refreshes_slowly_and_never_far() -> None:
    keeper = _keeper()
    rest = keeper.rest
    assert rest is not None
    drifted = rest.centre + 0.1 * rest.scale
    for _ in range(120):  # a minute
        keeper.refresh(drifted, 0.95, RELAXED)
    assert keeper.current is not None
    moved = (keeper.current.centre - rest.centre) / (0.1 * rest.scale)
    assert moved == pytest.approx(np.full(10, 1 - np.exp(-60 / 900)), rel=0.02)
    for _ in range(20_000):
        keeper.refresh(rest.centre + 100 * rest.scale, 0.95, RELAXED)
    assert np.all(keeper.current.centre <= rest.centre + MAX_DRIFT * rest.scale + 1e-9)
    assert keeper.rest is rest


@pytest.mark.parametrize(
    ("state", "quality"),
    [
        (RELAXED, 0.7),
        (replace(RELAXED, emotion="focused"), 0.95),
        (replace(RELAXED, emotion="unknown"), 0.95),
        (replace(RELAXED, status="unreliable"), 0.95),
        (replace(RELAXED, confidence=0.6), 0.95),
    ],
)
def test_nothing_but_trusted_rest_moves_it(state: EmotionState, quality: float) -> None:
    keeper = _keeper()
    keeper.refresh(np.full(10, 50.0), quality, state)
    assert keeper.current is keeper.rest


def test_refreshing_can_be_turned_off() -> None:
    keeper = _keeper(refresh_s=0.0)
    keeper.refresh(np.full(10, 50.0), 0.95, RELAXED)
    assert keeper.current is keeper.rest


def test_the_guided_rest_counts_clean_seconds_and_starts_over() -> None:
    collector = RestCollector(PipelineSettings(baseline_s=10.0), BandPowerClassifier(CHANNELS, SCHEMA))
    assert collector.push(None)[0].trusted_s == 0
    for window in REST[:10]:
        progress, baseline = collector.push(window)
    assert (progress.trusted_s, progress.done, baseline) == (5.0, False, None)
    collector.restart()
    for window in REST[:20]:
        progress, baseline = collector.push(window)
    assert progress.done
    assert baseline is not None
    assert baseline.seconds == 10.0
