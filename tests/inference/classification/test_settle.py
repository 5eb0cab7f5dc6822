"""Settling: evidence over seconds, doubt, hysteresis, dwell, and the status words."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.classification.smoothing import SIDES, Settler, SettleSettings
from inference.emotion import EmotionState, ModelId, Status

HOP_S = 0.5


class Bench:
    """Feeds a settler window by window."""

    def __init__(self, settings: SettleSettings | None = None) -> None:
        self.settler = Settler(settings or SettleSettings(), HOP_S, ModelId("test"))
        self.now_s = 0.0

    def push(self, logits: list[float]) -> list[EmotionState]:
        """NaN stands for a refused window."""
        states = []
        for logit in logits:
            self.now_s += HOP_S
            if math.isnan(logit):
                states.append(self.settler.reject(self.now_s))
            else:
                states.append(self.settler.push(self.now_s, logit))
        return states


def test_it_warms_up_and_then_names_a_side() -> None:
    states = Bench().push([2.0] * 20)
    assert [state.status for state in states[:7]] == ["warming_up"] * 7
    assert states[8].status == "ok"
    assert states[8].emotion == "focused"
    assert states[-1].confidence == pytest.approx(1 / (1 + math.exp(-2)), abs=1e-3)
    assert states[-1].affect.arousal == pytest.approx(2 * states[-1].confidence - 1, abs=1e-3)


def test_valence_is_never_claimed() -> None:
    rng = np.random.default_rng(0)
    states = Bench().push(list(rng.normal(size=200) * 3))
    assert {state.affect.valence for state in states} == {None}
    assert not {state.emotion for state in states} & {"happy", "sad"}


def test_confidence_is_that_of_the_evidence_not_of_one_window() -> None:
    bench = Bench()
    bench.push([0.5] * 40)
    state = bench.push([9.0])[0]
    assert state.confidence < 0.72


def test_evidence_comes_and_goes_with_its_time_constant() -> None:
    bench = Bench(SettleSettings(evidence_s=12.0))
    bench.push([2.0] * 200)
    arousal = [state.affect.arousal for state in bench.push([-2.0] * 24)]
    crossing_s = HOP_S * next(i for i, value in enumerate(arousal) if value is not None and value < 0)
    assert crossing_s == pytest.approx(12 * math.log(2), abs=1.0)


def test_a_doubtful_middle_is_unknown_and_a_calm_middle_neutral() -> None:
    rng = np.random.default_rng(1)
    wild = Bench().push(list(rng.normal(size=200) * 2.5 + 0.0))
    assert {state.emotion for state in wild[-40:]} <= {"unknown", "neutral", "focused", "relaxed"}
    assert "unknown" in {state.emotion for state in wild}
    still = Bench().push([0.1] * 60)
    assert still[-1].emotion == "neutral"
    assert still[-1].status == "ok"


def test_a_side_is_kept_at_less_than_it_takes_to_be_named() -> None:
    entering = Bench().push([0.35] * 60)
    assert entering[-1].emotion == "neutral"
    bench = Bench()
    bench.push([2.0] * 60)
    leaving = bench.push([0.35] * 60)
    assert leaving[-1].emotion == "focused"
    assert leaving[-1].confidence < SettleSettings().confidence


def test_no_side_stands_for_less_than_the_dwell_time() -> None:
    states = Bench().push([3.0] * 30 + [-6.0] * 6 + [6.0] * 6 + [-6.0] * 30)
    named = [(state.at_s, state.emotion) for state in states if state.emotion in SIDES]
    changes = [(at_s, new) for (_, old), (at_s, new) in pairwise(named) if old != new]
    times_s = [named[0][0], *(at_s for at_s, _ in changes)]
    assert all(later - earlier >= 10.0 for earlier, later in pairwise(times_s))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(st.floats(-20, 20), st.just(math.nan), st.sampled_from((-8.0, 8.0))),
        min_size=1,
        max_size=300,
    )
)
def test_whatever_comes_states_are_finite_in_range_and_never_flap(logits: list[float]) -> None:
    states = Bench().push(logits)
    for state in states:
        assert state.status in get_args(Status)
        assert 0 <= state.confidence <= 1
        assert state.affect.arousal is None or -1 <= state.affect.arousal <= 1
        if state.status != "ok":
            assert state.emotion == "unknown"
            assert state.affect.arousal is None
    ok = [state for state in states if state.status == "ok"]
    sides = [state for state in ok if state.emotion in SIDES]
    for before, after in pairwise(sides):
        between = [s for s in states if before.at_s < s.at_s < after.at_s and s.status != "ok"]
        if before.emotion != after.emotion and not between:
            first = next(s.at_s for s in sides if s.emotion == before.emotion and s.at_s <= before.at_s)
            assert after.at_s - first >= 10.0
    assert all(later.seq - earlier.seq in (0, 1) for earlier, later in pairwise(states))


def test_refused_windows_make_it_unreliable_and_good_ones_believed_again() -> None:
    bench = Bench()
    bench.push([2.0] * 60)
    lost = bench.push([math.nan] * 40)
    assert lost[0].status == "ok"
    statuses = [state.status for state in lost]
    turned = statuses.index("unreliable")
    assert 12 * math.log(2) == pytest.approx(turned * HOP_S, abs=1.5)
    assert all(status == "unreliable" for status in statuses[turned:])
    confidences = [state.confidence for state in lost[:turned]]
    assert confidences == sorted(confidences, reverse=True)
    back = bench.push([2.0] * 40)
    assert back[-1].status == "ok"
    assert back[-1].emotion == "focused"


def test_alternating_good_and_bad_does_not_flap_between_status_words() -> None:
    bench = Bench()
    bench.push([2.0] * 40)
    states = bench.push([math.nan, 2.0] * 100)
    changes = sum(a.status != b.status for a, b in pairwise(states))
    assert changes <= 1


def test_ten_bad_minutes_then_a_good_one() -> None:
    bench = Bench()
    bench.push([2.0] * 40)
    assert bench.push([math.nan] * 1200)[-1].status == "unreliable"
    states = bench.push([-2.0] * 80)
    first = next(state for state in states if state.emotion == "relaxed")
    assert first.at_s - states[0].at_s < 25


def test_since_and_seq_tell_when_the_state_began() -> None:
    states = Bench().push([2.0] * 60)
    ok = [state for state in states if state.status == "ok"]
    assert {state.since_s for state in ok} == {ok[0].at_s}
    assert ok[0].seq == states[0].seq + 1


def test_another_model_is_named_from_then_on() -> None:
    bench = Bench()
    bench.push([2.0] * 20)
    bench.settler.use(ModelId("other", "ab"))
    assert bench.settler.state is not None
    assert bench.settler.state.model == ModelId("other", "ab")
    assert bench.push([2.0])[0].model.name == "other"
