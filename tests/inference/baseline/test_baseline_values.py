"""The baseline by value: every constant and every border of it, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.signal import FloatArray
from inference.baseline.baseline import Baseline, drawn_to, fit_baseline
from inference.baseline.guided_rest import RestCollector
from inference.baseline.keeper import BaselineKeeper
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.emotion import Affect, EmotionState, ModelId, Status
from inference.pipeline import PipelineSettings

CHANNELS = ("TP9", "AF7", "AF8", "TP10")
SCHEMA = "symde5@1"


def _baseline(centre: FloatArray, scale: FloatArray) -> Baseline:
    return Baseline(SCHEMA, CHANNELS, centre, scale, 60.0)


def _fit(*columns: list[float], population_scale: FloatArray | None = None) -> Baseline:
    rest = np.array(columns).T
    return fit_baseline(
        rest, schema=SCHEMA, channels=CHANNELS, seconds=2.5, population_scale=population_scale
    )


def test_centre_is_the_median_and_scale_1_4826_median_deviations() -> None:
    baseline = _fit([0, 1, 2, 3, 50], [-8, -4, 0, 4, 8])
    assert baseline.centre.tolist() == [2, 0]
    assert baseline.scale == pytest.approx([1.4826, 4 * 1.4826], rel=1e-12)
    assert (baseline.seconds, baseline.schema, baseline.channels) == (2.5, SCHEMA, CHANNELS)


def test_half_of_the_populations_scale_is_taken() -> None:
    assert drawn_to(np.array([2.0, 0.0]), np.array([1.0, 1.0])).tolist() == [1.5, 0.5]
    assert drawn_to(None, np.array([1.0, 0.05, 0.04, 0.0])).tolist() == [1.0, 0.05, 0.05, 0.05]
    drawn = _fit([0, 1, 2, 3, 4], population_scale=np.array([1.0])).scale
    assert drawn == pytest.approx([0.5 + 0.5 * 1.4826])


def test_four_windows_are_enough_and_three_are_not() -> None:
    assert _fit([1, 1, 1, 1]).centre.tolist() == [1]
    for rest in (np.ones((3, 1)), np.ones(4)):
        with pytest.raises(ValueError, match="at least 4 windows"):
            fit_baseline(rest, schema=SCHEMA, channels=CHANNELS, seconds=1.0)


def test_a_window_with_holes_counts_where_it_was_seen() -> None:
    nan = float("nan")
    baseline = _fit([nan, 1, 2, 3, nan], [nan] * 5)
    assert baseline.centre[0] == 2
    assert np.isnan(baseline.centre[1])
    assert baseline.scale == pytest.approx([1.4826, 0.05])


def test_z_is_in_scales_from_the_centre_and_ends_at_four() -> None:
    baseline = _baseline(np.array([1.0] * 5), np.array([0.5] * 5))
    z = baseline.z(np.array([2.0, 0.5, 1 + 0.5 * 3.75, 1 + 0.5 * 4.25, 1 - 0.5 * 4.25]))
    assert z.tolist() == [2.0, -1.0, 3.75, 4.0, -4.0]


def _keeper(*, stored: bool = False, refresh_s: float = 900.0, size: int = 10) -> BaselineKeeper:
    settings = PipelineSettings(hop_s=0.5, refresh_s=refresh_s)
    return BaselineKeeper(settings, _baseline(np.zeros(size), np.full(size, 2.0)), stored=stored)


@pytest.mark.parametrize(("near", "verdict"), [(6, "differs"), (7, "agrees"), (8, "agrees")])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_trial_of_ten_seconds_wants_seven_of_ten_features_within_two_and_a_half_scales(
    near: int, verdict: str, sign: int
) -> None:
    keeper = _keeper(stored=True)
    window = sign * np.array([5.0] * near + [5.01] * (10 - near))
    assert keeper.on_trial
    assert [keeper.try_window(window) for _ in range(19)] == ["pending"] * 19
    assert keeper.try_window(window) == verdict
    assert not keeper.on_trial
    assert keeper.try_window(window) == "agrees", "it is over"


def test_one_that_was_measured_now_is_not_on_trial() -> None:
    keeper = _keeper()
    assert not keeper.on_trial
    assert keeper.try_window(np.full(10, 1e6)) == "agrees"
    assert not BaselineKeeper(PipelineSettings(), None, stored=True).on_trial
    trying = _keeper(stored=True)
    trying.try_window(np.zeros(10))
    trying.replace(None)
    assert (trying.on_trial, trying.current, trying.rest) == (False, None, None)


def _state(confidence: float = 0.75, emotion: str = "relaxed", status: Status = "ok") -> EmotionState:
    affect = Affect(None, -0.8)
    return EmotionState(0.0, emotion, affect, confidence, status, 0.0, 1, ModelId("m"))  # type: ignore[arg-type]


def test_a_trusted_window_moves_the_centre_by_its_share_of_a_quarter_of_an_hour() -> None:
    keeper = _keeper(size=3)
    keeper.refresh(np.array([0.9, -0.9, np.nan]), 0.8, _state())
    assert keeper.current is not None
    assert keeper.current.centre == pytest.approx([0.0005, -0.0005, 0.0])
    assert keeper.current.scale.tolist() == [2, 2, 2]


@pytest.mark.parametrize(("confidence", "quality"), [(0.7499, 0.8), (0.75, 0.7999)])
def test_just_below_the_border_nothing_is_trusted(confidence: float, quality: float) -> None:
    keeper = _keeper()
    keeper.refresh(np.ones(10), quality, _state(confidence))
    assert keeper.current is keeper.rest


def test_it_drifts_by_half_a_scale_at_most() -> None:
    keeper = _keeper(size=2, refresh_s=0.5)
    keeper.refresh(np.array([0.99, -50.0]), 1.0, _state(1.0))
    assert keeper.current is not None
    assert keeper.current.centre.tolist() == [0.99, -1.0]
    keeper.refresh(np.array([50.0, 0.0]), 1.0, _state(1.0))
    assert keeper.current.centre.tolist() == [1.0, 0.0]


def _collector(**changes: object) -> RestCollector:
    settings = PipelineSettings(hop_s=0.5, **changes)  # type: ignore[arg-type]
    return RestCollector(settings, BandPowerClassifier(CHANNELS, SCHEMA))


def test_a_rest_lasts_as_long_as_wanted_and_four_windows_at_least() -> None:
    collector = _collector(baseline_s=1.0)
    told = [collector.push(np.full(10, float(i))) for i in range(4)]
    assert [progress.trusted_s for progress, _ in told] == [0.5, 1.0, 1.0, 1.0]
    assert [progress.done for progress, _ in told] == [False, False, False, True]
    baseline = told[-1][1]
    assert baseline is not None
    assert baseline.centre.tolist() == [1.5] * 10
    assert collector.push(np.zeros(10))[0].trusted_s == 0.5, "the next one begins anew"


def test_without_a_rest_the_populations_stands_in_only_where_it_is_whole() -> None:
    centre, scale = np.arange(10.0), np.linspace(0.0, 0.9, 10)
    whole = _collector(baseline_s=0.0, population_centre=centre, population_scale=scale).without_rest()
    assert whole is not None
    assert whole.centre.tolist() == centre.tolist()
    assert whole.scale == pytest.approx([0.05, *scale[1:]])
    assert (whole.seconds, whole.schema) == (0.0, SCHEMA)
    for lacking in (
        {"baseline_s": 10.0, "population_centre": centre, "population_scale": scale},
        {"baseline_s": 0.0, "population_centre": None, "population_scale": scale},
        {"baseline_s": 0.0, "population_centre": centre, "population_scale": None},
    ):
        assert _collector(**lacking).without_rest() is None
