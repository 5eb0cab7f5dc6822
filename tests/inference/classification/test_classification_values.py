"""Settling, the rule and the wearer's valence by value, each border from both sides."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from inference.classification.band_power_classifier import BandPowerClassifier
from inference.classification.smoothing import Settler, SettleSettings
from inference.classification.valence import ValenceNetwork, ValenceReader
from inference.classification.with_fallback import MOST_SURE, ClassifierWithFallback
from inference.emotion import EmotionState, ModelId, Status
from inference.port import ClassifierError

HOP_S = 0.5
KEEP = math.exp(-HOP_S / 12)


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _settler(**changes: float) -> Settler:
    return Settler(SettleSettings(**{"warm_up_s": 0.0, "dwell_s": 0.0, **changes}), HOP_S, ModelId("m"))


def _hears(
    settler: Settler, probability: float, valence: float | None = None, at_s: float = 1.0
) -> EmotionState:
    return settler.push(at_s, _logit(probability), None if valence is None else _logit(valence))


def test_the_defaults_are_these() -> None:
    assert SettleSettings() == SettleSettings(12.0, 4.0, 0.62, 0.55, 10.0, 0.8, 0.5, 0.35)


def test_evidence_is_an_average_that_fades_over_twelve_seconds() -> None:
    settler = _settler()
    for logit in (1.0, 1.0, -2.0):
        state = settler.push(1.0, logit)
    weights = np.array([KEEP**2, KEEP, 1.0])
    mean = float(weights @ [1.0, 1.0, -2.0] / weights.sum())
    engaged = 1 / (1 + math.exp(-mean))
    assert state.affect.arousal == pytest.approx(2 * engaged - 1)
    assert state.confidence == round(max(engaged, 1 - engaged), 4)


def test_refused_windows_take_their_share_of_belief() -> None:
    settler = _settler()
    settler.push(1.0, 2.0)
    settler.push(1.5, 2.0)
    state = settler.reject(2.0)
    share = 1 / (1 + KEEP + KEEP**2)
    assert state.confidence == round(1 / (1 + math.exp(-2)) * (1 - share), 4)
    settler.pass_over()
    state = settler.push(3.0, 2.0)  # what is old counts for less after a window that was not read
    share = KEEP**2 / (1 + KEEP**2 + KEEP**3 + KEEP**4)
    assert state.confidence == round(1 / (1 + math.exp(-2)) * (1 - share), 4)


def test_above_half_refused_is_unreliable_until_a_third_again() -> None:
    settler = Settler(SettleSettings(warm_up_s=0, evidence_s=1e9), HOP_S, ModelId("m"))

    def told(*heard: bool) -> list[Status]:
        return [(settler.push(1.0, 1.0) if one else settler.reject(1.0)).status for one in heard]

    assert told(True, True, True, False, False) == ["ok"] * 5, "two of five"
    assert told(False) == ["unreliable"], "the newest counts a trifle more than half of six"
    assert told(True, True) == ["unreliable"] * 2, "three of eight are 0.375"
    assert told(True) == ["ok"], "three of nine"
    assert settler.state is not None
    assert settler.state.confidence == round(1 / (1 + math.exp(-1)) * (1 - 3 / 9), 4)


@pytest.mark.parametrize(("warm_up_s", "statuses"), [(1.0, ["warming_up", "ok"]), (1.01, ["warming_up"] * 2)])
def test_it_warms_up_by_seconds_heard(warm_up_s: float, statuses: list[Status]) -> None:
    settler = _settler(warm_up_s=warm_up_s)
    assert [settler.push(1.0, 1.0).status for _ in range(2)] == statuses
    settler.restart()
    assert settler.push(1.0, 1.0).status == "warming_up"
    assert settler.state is not None
    assert settler.state.affect.arousal is None
    assert settler.state.confidence == 0


@pytest.mark.parametrize(
    ("probability", "emotion"),
    [(0.621, "focused"), (0.619, "neutral"), (0.5, "neutral"), (0.381, "neutral"), (0.379, "relaxed")],
)
def test_a_side_is_named_from_0_62(probability: float, emotion: str) -> None:
    assert _hears(_settler(), probability).emotion == emotion


@pytest.mark.parametrize(
    ("probability", "emotion"), [(0.551, "focused"), (0.549, "neutral"), (0.45, "neutral")]
)
def test_a_side_that_is_named_is_kept_from_0_55(probability: float, emotion: str) -> None:
    settler = _settler(evidence_s=1e-3)  # only the newest window counts
    assert _hears(settler, 0.7).emotion == "focused"
    assert _hears(settler, probability).emotion == emotion


@pytest.mark.parametrize(("spread", "emotion"), [(0.79, "neutral"), (0.81, "unknown")])
def test_a_middle_of_steady_evidence_is_neutral(spread: float, emotion: str) -> None:
    settler = _settler(evidence_s=1e9)
    settler.push(1.0, spread)
    assert settler.push(1.5, -spread).emotion == emotion


def test_a_spread_is_measured_from_the_mean() -> None:
    settler = _settler(evidence_s=1e9, keep_confidence=0.62)
    settler.push(1.0, 1.1)
    assert settler.push(1.5, -0.3).emotion == "neutral", "0.7 around 0.4"


def test_a_sure_side_that_was_refused_too_often_is_unknown() -> None:
    settler = _settler(evidence_s=1e9)
    for _ in range(2):
        _hears(settler, 0.8)
    state = settler.reject(1.5)
    assert (state.status, state.emotion, state.confidence) == ("ok", "unknown", 0.5333)


@pytest.mark.parametrize(
    ("engaged", "pleasant", "emotion"),
    [
        (0.5, 0.621, "happy"), (0.5, 0.619, "neutral"), (0.49, 0.379, "sad"), (0.49, 0.381, "neutral"),
        (0.7, 0.3, "focused"), (0.3, 0.7, "relaxed"),
    ],
)  # fmt: skip
def test_pleasant_and_awake_is_happy_and_unpleasant_and_calm_is_sad(
    engaged: float, pleasant: float, emotion: str
) -> None:
    state = _hears(_settler(), engaged, pleasant)
    assert state.emotion == emotion
    assert state.affect.valence == pytest.approx(2 * pleasant - 1)


@pytest.mark.parametrize(("pleasant", "emotion"), [(0.551, "happy"), (0.549, "focused")])
def test_happy_is_kept_from_0_55(pleasant: float, emotion: str) -> None:
    settler = _settler(evidence_s=1e-3)
    _hears(settler, 0.7, 0.7)
    assert _hears(settler, 0.7, pleasant).emotion == emotion


def test_valence_is_the_average_of_what_was_given() -> None:
    settler = _settler()
    settler.push(1.0, 0.0, 1.0)
    settler.push(1.5, 0.0)
    state = settler.push(2.0, 0.0, -1.0)
    mean = (KEEP**2 - 1) / (KEEP**2 + 1)
    assert state.affect.valence == pytest.approx(2 / (1 + math.exp(-mean)) - 1)


@pytest.mark.parametrize(("after_s", "emotion"), [(9.9, "focused"), (10.0, "relaxed")])
def test_another_side_waits_for_the_dwell(after_s: float, emotion: str) -> None:
    settler = _settler(evidence_s=1e-3, dwell_s=10.0)
    first = _hears(settler, 0.8, at_s=100.0)
    assert (first.emotion, first.since_s, first.seq) == ("focused", 100.0, 1)
    state = _hears(settler, 0.2, at_s=100.0 + after_s)
    assert state.emotion == emotion
    assert (state.since_s, state.seq) == ((100.0, 1) if emotion == "focused" else (110.0, 2))


def test_doubt_may_always_be_told_and_begins_the_dwell_anew() -> None:
    settler = _settler(evidence_s=1e-3, dwell_s=10.0)
    _hears(settler, 0.8, at_s=100.0)
    settler.abstain(101.0, "stale")
    assert _hears(settler, 0.2, at_s=102.0).emotion == "relaxed"
    settler.use(ModelId("other"))
    assert settler.state is not None
    assert settler.state.model == settler.model == ModelId("other")


def test_a_probability_ends_at_thirty() -> None:
    for logit, end in ((1e3, 30), (-1e3, -30)):
        assert _settler().push(1.0, logit).affect.arousal == 2 * (1 / (1 + math.exp(-end))) - 1
    thirty = _settler().push(1.0, 29.0).affect.arousal
    assert thirty == pytest.approx(2 / (1 + math.exp(-29)) - 1, abs=1e-16)


@pytest.mark.parametrize(
    ("features", "logit"),
    list(zip(np.eye(5).tolist(), (0.0, 0.0, -0.9, 0.35, 0.35), strict=True)),
)
def test_the_rule_weighs_each_band(features: list[float], logit: float) -> None:
    one = BandPowerClassifier(("Cz",), "de5@1").predict(np.array([features], dtype=float))
    assert one == pytest.approx([1 - 1 / (1 + math.exp(-logit)), 1 / (1 + math.exp(-logit))])
    two = BandPowerClassifier(("Cz", "Pz"), "de5@1").predict(np.array([features + [0] * 5], dtype=float))
    assert two[1] == pytest.approx(1 / (1 + math.exp(-logit / 2)))
    twins = BandPowerClassifier(("C3", "C4"), "symde5@1").predict(np.array([features], dtype=float))
    assert twins[1] == pytest.approx(1 / (1 + math.exp(-logit)))


def test_fine_bands_share_the_weight_of_theirs() -> None:
    rule = BandPowerClassifier(("Cz",), "de22@1")
    lows = [*range(1, 13), 13, 15, 18, 21, 24, 27, 30, 33, 36, 40]
    for band, low in enumerate(lows):
        features = np.zeros((1, 22))
        features[0, band] = 1.0
        share = -0.9 / 5 if 8 <= low < 13 else 0.35 / 6 if 13 <= low < 30 else 0.35 / 4 if low >= 30 else 0.0
        assert rule.predict(features)[1] == pytest.approx(1 / (1 + math.exp(-share))), low


def test_the_rule_ends_at_thirty() -> None:
    rule = BandPowerClassifier(("Cz",), "de5@1")
    for alpha, logit in ((-1e6, 30.0), (1e6, -30.0), (-29 / 0.9, 29.0), (29.5 / 0.9, -29.5)):
        answer = rule.predict(np.array([[0, 0, alpha, 0, 0]], dtype=float))
        assert answer[1] == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-9, abs=0)


class _Sure:
    """Answers as it is told."""

    model_id, channels, feature_schema = ModelId("sure"), ("Cz",), "de5@1"
    sequence_length = 1
    labels = ("calm", "engaged")

    def __init__(self, engaged: float) -> None:
        self.engaged = engaged

    def predict(self, features: np.ndarray) -> np.ndarray:
        return np.array([1 - self.engaged, self.engaged])

    def close(self) -> None: ...


def test_an_opinion_is_divided_by_the_temperature_and_never_quite_sure() -> None:
    assert ClassifierWithFallback(_Sure(0.8), None, 1.0).read(np.zeros(5)).logit == pytest.approx(math.log(4))
    cool = ClassifierWithFallback(_Sure(0.8), None, 2.0).read(np.zeros(5))
    assert cool.logit == pytest.approx(math.log(2))
    assert cool.engaged == pytest.approx(2 / 3)
    for engaged, sure in ((1.0, 1 - 1e-6), (0.0, 1e-6)):
        assert ClassifierWithFallback(_Sure(engaged), None, 1.0).read(np.zeros(5)).engaged == pytest.approx(
            sure, rel=1e-9
        )
    assert MOST_SURE == 1e-6


def test_only_one_of_the_same_features_may_take_over() -> None:
    mind = ClassifierWithFallback(_Sure(0.8), None, 1.0)
    other = _Sure(0.2)
    mind.use(other, 1.0)
    assert mind.read(np.zeros(5)).engaged == pytest.approx(0.2)
    other.feature_schema = "de22@1"
    with pytest.raises(ClassifierError, match="sure reads de22@1 of Cz; running is de5@1 of Cz"):
        ClassifierWithFallback(_Sure(0.8), None, 1.0).use(other, 1.0)


NETWORK = ValenceNetwork(
    format=1, feature_schema="de5@1", channels=("Cz",), window_s=2.0, hop_s=0.5, windows=2,
    mean=[1.0, 0.0], scale=[2.0, 0.5], hidden=[[1.0, -1.0], [0.5, 0.0]], hidden_bias=[0.25, 0.0],
    output=[2.0, 1.0], output_bias=-0.5, balanced_accuracy=0.6, p_value=0.05, pieces=8,
)  # fmt: skip


def test_valence_by_hand() -> None:
    reader = ValenceReader(NETWORK)
    # (3 - 1) / 2 = 1 and 1 / 0.5 = 2: hidden 1 + 1 + 0.25 and max(-1, 0); 2 x 2.25 - 0.5
    assert reader.logit(np.array([3.0, 1.0])) == 4.0
    # the mean with (-5, 1) is (-1, 1): -1 and 2: hidden max(-1 + 1 + 0.25, 0) and 1; 0.5 + 1 - 0.5
    assert reader.logit(np.array([-5.0, 1.0])) == 1.0
    assert reader.logit(np.array([3.0, 1.0])) == 1.0, "of the last two"
    reader.forget()
    assert reader.logit(np.array([3.0, 1.0])) == 4.0
    reader.forget()
    assert reader.logit(np.array([1e6, 0.0])) == 20.0
    lower = ValenceReader(msgspec.structs.replace(NETWORK, output=[-2.0, 0.0]))
    assert lower.logit(np.array([1e6, 0.0])) == -20.0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 2}, "format must be 1"), ({"windows": 0}, "1-256"), ({"windows": 257}, "1-256"),
        ({"scale": [2.0]}, "as many scales"), ({"scale": [2.0, 0.0]}, "above 0"),
        ({"hidden": [[1.0, 1.0]]}, "as many"),
        ({"hidden": [[1.0, 1.0], [1.0]]}, "needs 2 weights"), ({"output": [1.0]}, "output needs 2"),
        ({"balanced_accuracy": 0.5}, "beat chance"), ({"p_value": 0.0501}, "beat chance"),
        ({"hidden_bias": []}, "1-256 hidden units"), ({"hidden_bias": [0.0] * 257}, "got 257"),
    ],
)  # fmt: skip
def test_a_network_that_breaks_a_rule_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ClassifierError, match=told):
        ValenceReader(msgspec.structs.replace(NETWORK, **changes))


def test_a_network_at_each_border_is_read() -> None:
    n = 256
    wide = {"hidden": [[1.0] * n] * 2, "hidden_bias": [0.0] * n, "output": [1.0] * n, "windows": 256}
    assert ValenceReader(msgspec.structs.replace(NETWORK, **wide))
    narrow = {"hidden": [[1.0]] * 2, "hidden_bias": [0.0], "output": [1.0], "windows": 1}
    assert ValenceReader(msgspec.structs.replace(NETWORK, **narrow))
    assert ValenceReader(msgspec.structs.replace(NETWORK, balanced_accuracy=0.501, scale=[1e-9, 1.0]))
