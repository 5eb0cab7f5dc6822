"""Features by value: on tones and on little sums that can be done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal, stats

from inference.features.blocks import (
    dasm,
    four_statistics,
    frontal_alpha_asymmetry,
    hjorth,
    pairs_of,
    rasm,
    relative_power,
    six_statistics,
    spectral_entropy,
)
from inference.features.schemas import (
    FINE_BANDS,
    SCHEMAS,
    FeatureExtractor,
    differential_entropy,
    schema_named,
)
from inference.features.spectrum import BANDS, HOMOLOGUES, band_power_of, spectrum_of

RATE_HZ = 128.0
TIMES_S = np.arange(256) / RATE_HZ
NOISE = 3.0 + np.random.default_rng(0).normal(size=(3, 256)).cumsum(axis=1)
BY_HAND = np.array([[1.0, 3.0, 2.0, 6.0], [0.0, 0.0, 0.0, 0.0]])


def _entropy_of(variance: float) -> float:
    return 0.5 * float(np.log(2 * np.pi * np.e * variance))


def test_the_bands_are_these() -> None:
    assert BANDS == ((1, 4), (4, 8), (8, 13), (13, 30), (30, 45))
    edges = [*range(1, 14), 15, 18, 21, 24, 27, 30, 33, 36, 40, 45]
    assert tuple(zip(edges[:-1], edges[1:], strict=True)) == FINE_BANDS  # noqa: RUF007


@pytest.mark.parametrize("n_samples", [256, 255, 128, 90])
def test_band_power_is_welchs_times_the_width_of_a_bin(n_samples: int) -> None:
    samples = NOISE[:, :n_samples]
    bands = ((0.0, 4.0), (4.0, 13.0), (13.0, 64.0), (13.0, 65.0), (70.0, 80.0))
    at_hz, density = signal.welch(samples, RATE_HZ, "hann", n_samples, detrend="constant")
    inside = [(at_hz >= low) & (at_hz < high) for low, high in bands]
    expected = np.stack([density[:, one].sum(axis=1) for one in inside], axis=1) * RATE_HZ / n_samples
    assert band_power_of(spectrum_of(samples, RATE_HZ), bands) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_tone_has_half_its_amplitude_squared() -> None:
    tone = 7.0 + 4 * np.sin(2 * np.pi * 10 * TIMES_S)[np.newaxis]
    assert band_power_of(spectrum_of(tone, RATE_HZ))[0] == pytest.approx([0, 0, 8, 0, 0], abs=1e-9)
    entropy = differential_entropy(tone, RATE_HZ)[0]
    floor = _entropy_of(1e-6)
    assert entropy == pytest.approx([floor, floor, _entropy_of(8), floor, floor])


def test_power_and_frequencies_of_each_bin() -> None:
    spectrum = spectrum_of(NOISE, RATE_HZ)
    centred = NOISE - NOISE.mean(axis=1, keepdims=True)
    hann = signal.get_window("hann", 256)
    assert spectrum.power == pytest.approx(np.abs(np.fft.rfft(centred * hann)) ** 2, abs=1e-6)
    assert spectrum.frequencies_hz.tolist() == [0.5 * i for i in range(129)]


def test_relative_power_adds_up_to_one() -> None:
    tones = 3 * np.sin(2 * np.pi * 6 * TIMES_S) + np.sin(2 * np.pi * 20 * TIMES_S)
    assert relative_power(spectrum_of(tones[np.newaxis], RATE_HZ))[0] == pytest.approx(
        [0, 0.9, 0, 0.1, 0], abs=1e-9
    )
    assert relative_power(spectrum_of(np.zeros((1, 256)), RATE_HZ))[0].tolist() == [0] * 5


def test_statistics_by_hand() -> None:
    six = six_statistics(spectrum_of(BY_HAND, RATE_HZ))
    sd = np.sqrt(3.5)
    assert six[0] == pytest.approx([3, sd, 7 / 3, 7 / 3 / sd, 2, 2 / sd])
    assert six[1].tolist() == [0] * 6
    four = four_statistics(spectrum_of(NOISE, RATE_HZ))
    expected = [
        NOISE.mean(axis=1),
        NOISE.std(axis=1),
        stats.skew(NOISE, axis=1),
        stats.kurtosis(NOISE, axis=1),
    ]
    assert four == pytest.approx(np.stack(expected, axis=1))
    assert np.isfinite(four_statistics(spectrum_of(BY_HAND, RATE_HZ))).all()


def test_hjorth_by_hand() -> None:
    first, second = np.array([2.0, -1.0, 4.0]), np.array([-3.0, 5.0])
    mobility = np.sqrt(first.var() / 3.5)
    complexity = np.sqrt(second.var() / first.var()) / mobility
    values = hjorth(spectrum_of(BY_HAND, RATE_HZ))
    assert values[0] == pytest.approx([3.5, mobility, complexity])
    assert values[1].tolist() == [0, 0, 0]
    fine = hjorth(spectrum_of(1e-5 * BY_HAND, RATE_HZ))[0]
    assert fine[1:] == pytest.approx([mobility, complexity]), "the floor lies far below a microvolt"


def test_spectral_entropy_of_noise_and_of_a_tone() -> None:
    spectrum = spectrum_of(NOISE, RATE_HZ)
    share = spectrum.power[:, 2:90] / spectrum.power[:, 2:90].sum(axis=1, keepdims=True)  # 1 to 44.5 Hz
    expected = -(share * np.log(share)).sum(axis=1) / np.log(88)
    assert spectral_entropy(spectrum) == pytest.approx(expected)
    tone = spectrum_of(np.sin(2 * np.pi * 10 * TIMES_S)[np.newaxis], RATE_HZ)
    # three bins of a Hann window: 1/6, 2/3, 1/6
    assert spectral_entropy(tone)[0] == pytest.approx(
        -(2 / 3 * np.log(2 / 3) + np.log(1 / 6) / 3) / np.log(88)
    )


def _alpha(*amplitudes: float) -> np.ndarray:
    tones: np.ndarray = np.outer(amplitudes, np.sin(2 * np.pi * 10 * TIMES_S))
    return tones


def test_pairs_are_left_and_right() -> None:
    channels = ("F4", "Fp1", "F3", "Fp2", "Cz", "T7", "T8")
    assert pairs_of(channels) == [(1, 3), (2, 0), (5, 6)]
    assert pairs_of(channels, (("F3", "F4"), ("O1", "O2"))) == [(2, 0)]
    assert all(left != right for left, right in HOMOLOGUES.items())


def test_asymmetries_by_hand() -> None:
    spectrum = spectrum_of(_alpha(2.0, 4.0), RATE_HZ)
    left, right = _entropy_of(2.0), _entropy_of(8.0)
    assert frontal_alpha_asymmetry(spectrum, ("F3", "F4")) == pytest.approx([np.log(4)])
    assert dasm(spectrum, ("F3", "F4"))[0, 2] == pytest.approx(left - right)
    assert rasm(spectrum, ("F3", "F4"))[0, 2] == pytest.approx(left / right)
    zero = np.sqrt(2 / (2 * np.pi * np.e))  # whose entropy is 0
    ratios = [rasm(spectrum_of(_alpha(a, zero), RATE_HZ), ("C3", "C4"))[0, 2] for a in (2.0, 0.01)]
    assert ratios == [10, -10]
    half = np.sqrt(2 * np.exp(1.0) / (2 * np.pi * np.e))  # whose entropy is half a nat
    assert rasm(spectrum_of(_alpha(half, half), RATE_HZ), ("C3", "C4"))[0, 2] == pytest.approx(1)


def test_a_symmetric_layout_averages_twins_and_leaves_out_what_is_masked() -> None:
    channels = ("F3", "Cz", "F4")
    extract = FeatureExtractor(schema_named("symde5@1"), channels, RATE_HZ)
    samples = _alpha(2.0, 1.0, 4.0)
    alpha = extract(samples)[[2, 7]]
    assert alpha == pytest.approx([(_entropy_of(2) + _entropy_of(8)) / 2, _entropy_of(0.5)])
    assert extract(samples, np.array([1.0, 1.0, 0.0]))[[2, 7]] == pytest.approx(
        [_entropy_of(2), _entropy_of(0.5)]
    )
    masked = extract(samples, np.array([0.0, 1.0, 0.0]))
    assert np.isnan(masked[:5]).all()
    assert np.isfinite(masked[5:]).all()
    by_band = np.ones((3, 5))
    by_band[2, 2] = 0
    assert extract(samples, by_band)[2] == pytest.approx(_entropy_of(2))
    assert schema_named("symde5@1").names(channels)[:2] == ("F3+F4:1-4Hz", "F3+F4:4-8Hz")
    assert schema_named("symde5@1").regions(channels) == (("F3", "F4"), ("Cz",))


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("de5@1", 15),
        ("de22@1", 66),
        ("symde5@1", 10),
        ("symde22@1", 44),
        ("rich@1", 15 + 15 + 5 + 5 + 1 + 9 + 3 + 18),
    ],
)
def test_each_layout_is_as_long_as_it_says(name: str, length: int) -> None:
    channels = ("F3", "Cz", "F4")
    schema = SCHEMAS[name]
    assert schema.length(channels) == len(schema.names(channels)) == length
    assert len(set(schema.names(channels))) == length
    assert FeatureExtractor(schema, channels, RATE_HZ)(NOISE).shape == (length,)


def test_a_fixed_montage_is_kept() -> None:
    deap = SCHEMAS["deap167"]
    assert deap.length(deap.electrodes) == 167
    assert SCHEMAS["seed310"].length(SCHEMAS["seed310"].electrodes) == 310
    deap.check(deap.electrodes)
    with pytest.raises(ValueError, match="missing O2"):
        deap.check(deap.electrodes[:-1])
    with pytest.raises(ValueError, match="another order"):
        deap.check(deap.electrodes[::-1])
    with pytest.raises(ValueError, match=r"one of de22@1, de5@1"):
        schema_named("de6@1")
    samples = np.random.default_rng(1).normal(size=(32, 256))
    good = np.ones(32)
    good[3] = 0
    values = FeatureExtractor(deap, deap.electrodes, RATE_HZ)(samples, good)
    expected = four_statistics(spectrum_of(np.delete(samples, 3, axis=0), RATE_HZ)).mean(axis=0)
    assert values[-4:] == pytest.approx(expected)
    assert np.isnan(FeatureExtractor(deap, deap.electrodes, RATE_HZ)(samples, np.zeros(32))[-4:]).all()
