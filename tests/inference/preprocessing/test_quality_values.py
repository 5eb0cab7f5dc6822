"""The quality gate by value: each threshold from both sides, on tones whose measures are known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.signal import FloatArray
from inference.features.spectrum import spectrum_of
from inference.preprocessing.quality import GatedWindow, judge_window

RATE_HZ = 128.0
TIMES_S = np.arange(256) / RATE_HZ
RMS = float(np.sqrt(2))
"""Amplitude of a sine whose root mean square is 1."""


def _sine(hertz: float, amplitude: float) -> FloatArray:
    wave: FloatArray = amplitude * np.sin(2 * np.pi * hertz * TIMES_S)
    return wave


GOOD = _sine(10, 8)


def _judged(
    filtered: FloatArray,
    channel: str = "C3",
    raw: FloatArray | None = None,
    *,
    finite: float = 1.0,
    lost_share: float = 0.0,
    raw_rate_hz: float = RATE_HZ,
) -> tuple[float, tuple[str, ...]]:
    gate = judge_window(
        (channel,),
        spectrum_of(filtered[np.newaxis], RATE_HZ),
        (GOOD if raw is None else raw)[np.newaxis],
        raw_rate_hz=raw_rate_hz,
        end_s=2.0,
        finite=np.array([finite]),
        lost_share=lost_share,
    )
    judged = gate.quality.channels[0]
    assert gate.quality.overall == judged.score
    assert gate.quality.worn == gate.accepted == (judged.score >= 0.5)
    assert gate.good.tolist() == [float(judged.score >= 0.5)]
    assert gate.blink.tolist() == [float("blink" in judged.reasons)]
    return judged.score, judged.reasons


def test_flat_is_below_0_3_microvolts() -> None:
    assert _judged(_sine(10, 0.301 * RMS)) == (1.0, ())
    assert _judged(_sine(10, 0.299 * RMS)) == (0.0, ("flat",))


@pytest.mark.parametrize(("rms_uv", "score"), [(70.1, 0.599), (87.5, 0.45), (105, 0.3), (140, 0), (200, 0)])
def test_contact_is_doubtful_from_70_microvolts_and_none_at_140(rms_uv: float, score: float) -> None:
    assert _judged(_sine(10, rms_uv * RMS)) == (score, ("loose",))


def test_up_to_70_microvolts_contact_is_not_doubted() -> None:
    assert _judged(_sine(10, 69.9 * RMS)) == (1.0, ())


def test_a_blink_is_a_slow_wave_above_110_microvolts_on_the_forehead() -> None:
    assert _judged(_sine(3, 55.1), "AF7") == (0.7, ("blink",))
    assert _judged(_sine(3, 54.9), "AF7") == (1.0, ())
    assert _judged(_sine(3, 55.1), "C3") == (1.0, ())
    assert _judged(_sine(10, 55.1), "AF7") == (1.0, ()), "alpha is no blink"


@pytest.mark.parametrize("name", ["Fp1", "Fp2", "AF7", "AF8", "AF3", "AF4", "F7", "F8", "Fpz", "AFz"])
def test_these_are_the_forehead(name: str) -> None:
    assert _judged(_sine(3, 60), name)[1] == ("blink",)


@pytest.mark.parametrize(("slow", "reasons"), [(0.65, ("blink",)), (0.55, ())])
def test_six_tenths_of_the_power_are_slow_in_a_blink(slow: float, reasons: tuple[str, ...]) -> None:
    wave = _sine(3, 80 * np.sqrt(slow)) + _sine(20, 80 * np.sqrt(1 - slow))
    assert _judged(wave, "Fp1")[1] == reasons


def test_a_large_blink_is_told_from_a_loose_electrode_by_its_median() -> None:
    """A bump of a third of a second: 75 microvolts root mean square, yet at rest for most of the window."""
    bump = np.zeros(256)
    bump[100:150] = 420 * np.hanning(50)
    wave = bump - bump.mean() + _sine(10, 5)
    assert wave.std() > 70
    assert _judged(wave, "Fp1") == (0.7, ("blink",))
    assert _judged(wave, "C3")[1] == ("loose",)
    slow = _sine(3, 80 * RMS)  # its median is 80: 1.4826 x 80 = 118.6 and more than its root mean square
    assert _judged(slow, "Fp1") == (pytest.approx(0.183, abs=0.02), ("loose",))


def test_muscle_is_fast_and_above_12_microvolts() -> None:
    assert _judged(_sine(38, 12.1 * RMS)) == (0.45, ("muscle",))
    assert _judged(_sine(38, 11.9 * RMS)) == (1.0, ())


@pytest.mark.parametrize(("fast", "reasons"), [(0.5, ("muscle",)), (0.4, ())])
def test_muscle_is_fast_by_45_in_a_hundred(fast: float, reasons: tuple[str, ...]) -> None:
    wave = _sine(38, 30 * np.sqrt(fast)) + _sine(10, 30 * np.sqrt(1 - fast))
    assert _judged(wave)[1] == reasons


def _rail(level_uv: float, stuck: int, rest_uv: float = 0.0) -> FloatArray:
    raw = rest_uv + GOOD
    raw[:stuck] = level_uv
    return raw


@pytest.mark.parametrize("sign", [1, -1])
def test_a_rail_is_two_in_a_hundred_samples_at_300_microvolts_or_more(sign: int) -> None:
    assert _judged(GOOD, raw=sign * _rail(300.0, 6))[1] == ("railed",)  # 6 of 256 are 2.3 %
    assert _judged(GOOD, raw=sign * _rail(300.0, 5))[1] == ()
    assert _judged(GOOD, raw=sign * _rail(299.9, 6))[1] == ()
    assert _judged(GOOD, raw=sign * _rail(300.0, 6))[0] == 0.0


def test_two_equal_samples_are_no_rail_in_a_short_window_and_three_are() -> None:
    assert _judged(GOOD, raw=_rail(400.0, 2)[:60])[1] == ()
    assert _judged(GOOD, raw=_rail(400.0, 3)[:60])[1] == ("railed",)


def test_a_rail_is_150_microvolts_from_the_middle_unless_most_is_on_it() -> None:
    assert _judged(GOOD, raw=_rail(1000.0, 9, rest_uv=840.0))[1] == ("railed",)
    assert _judged(GOOD, raw=_rail(1000.0, 9, rest_uv=860.0))[1] == ()
    assert _judged(GOOD, raw=_rail(1000.0, 130, rest_uv=860.0))[1] == ("railed",)
    assert _judged(GOOD, raw=_rail(1000.0, 126, rest_uv=860.0))[1] == ()


def _hum(ratio: float, hertz: float) -> FloatArray:
    return _sine(10, 8) + _sine(hertz, 8 * np.sqrt(ratio))


@pytest.mark.parametrize("hertz", [50.0, 60.0])
def test_line_noise_is_told_from_ten_times_the_signal_and_weighs_up_to_six_tenths(hertz: float) -> None:
    assert _judged(GOOD, raw=_hum(8.5, hertz)) == (1.0, ())
    score, reasons = _judged(GOOD, raw=_hum(14.0, hertz))
    assert reasons == ("line_noise",)
    assert 0.893 < score < 0.9
    assert _judged(GOOD, raw=_hum(505.0, hertz))[0] == pytest.approx(0.65, abs=0.03)
    assert _judged(GOOD, raw=_hum(4000.0, hertz))[0] == 0.4


def test_below_125_hz_and_in_half_a_second_hum_is_not_judged() -> None:
    assert _judged(GOOD, raw=_hum(50.0, 50.0), raw_rate_hz=124.9)[1] == ()
    assert _judged(GOOD, raw=_hum(50.0, 50.0)[:63])[1] == ()
    assert _judged(GOOD, raw=_hum(50.0, 50.0)[:128])[1] == ("line_noise",)


@pytest.mark.parametrize(("share", "score"), [(0.125, 0.875), (0.2, 0.8), (0.2001, 0.0), (0.9, 0.0)])
def test_what_never_came_costs_its_share_and_above_a_fifth_everything(share: float, score: float) -> None:
    assert _judged(GOOD, lost_share=share) == (score, ("lost",))
    assert _judged(_sine(38, 20 * RMS), lost_share=0.1) == (0.405, ("muscle", "lost"))


def test_what_was_no_number_costs_everything() -> None:
    assert _judged(GOOD, finite=0.0) == (0.0, ("not_finite",))


def _gate(scores: list[float]) -> GatedWindow:
    """Channels that are good or flat."""
    filtered = np.stack([score * GOOD for score in scores])
    return judge_window(
        tuple(f"C{i}" for i in range(len(scores))),
        spectrum_of(filtered, RATE_HZ),
        np.stack([GOOD] * len(scores)),
        raw_rate_hz=RATE_HZ,
        end_s=7.0,
        finite=np.ones(len(scores)),
    )


@pytest.mark.parametrize(
    ("scores", "worn"), [([1, 0], True), ([1, 0, 0], False), ([1, 1, 0, 0], True), ([1, 0, 0, 0], False)]
)
def test_half_of_the_electrodes_make_a_headset_worn(scores: list[float], worn: bool) -> None:
    gate = _gate(scores)
    assert (gate.accepted, gate.quality.worn) == (worn, worn)
    assert gate.quality.overall == pytest.approx(np.mean(scores))
    assert gate.quality.at_s == 7.0


def test_a_blink_takes_the_bands_up_to_8_hz() -> None:
    gate = _gate([1, 1, 0])
    blinked = GatedWindow(gate.quality, gate.good, np.array([0.0, 1.0, 1.0]))
    usable = blinked.usable(((1, 4), (4, 8), (4, 8.5), (8, 13)))
    assert usable.tolist() == [[1, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]]
