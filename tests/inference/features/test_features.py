"""Feature layouts: named, ordered, of known length, equal to the references where they define the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal, stats

from acquisition.montage import LAYOUTS
from acquisition.signal import FloatArray
from inference.features import blocks
from inference.features.montages import DEAP_32, SEED_62
from inference.features.schemas import (
    BAND_NAMES,
    BANDS,
    SCHEMAS,
    FeatureExtractor,
    band_power_uv2,
    differential_entropy,
    schema_named,
)
from inference.features.spectrum import spectrum_of

RATE_HZ = 128.0
MUSE = LAYOUTS["muse"]


def _window(n_channels: int, n_samples: int = 256, seed: int = 1) -> FloatArray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_channels, n_samples)).cumsum(axis=1) + 4 * rng.normal(
        size=(n_channels, n_samples)
    )


def _welch(samples_uv: FloatArray, rate_hz: float) -> tuple[FloatArray, FloatArray]:
    """One segment, so that Welch's method is the periodogram."""
    grid, density = signal.welch(samples_uv, rate_hz, nperseg=samples_uv.shape[1], window="hann")
    return grid, density


@pytest.mark.parametrize("n_samples", [255, 256, 512])
@pytest.mark.parametrize("rate_hz", [128.0, 256.0])
def test_band_power_and_entropy_equal_welchs(n_samples: int, rate_hz: float) -> None:
    samples_uv = _window(8, n_samples)
    grid, density = _welch(samples_uv, rate_hz)
    step = grid[1]
    expected = np.stack(
        [density[:, (grid >= low) & (grid < high)].sum(axis=1) * step for low, high in BANDS], axis=1
    )
    assert band_power_uv2(samples_uv, rate_hz) == pytest.approx(expected, rel=1e-9)
    entropy = 0.5 * np.log(2 * np.pi * np.e * expected)
    assert np.abs(differential_entropy(samples_uv, rate_hz) - entropy).max() < 1e-9


def test_a_sine_has_the_entropy_of_its_variance() -> None:
    times_s = np.arange(512) / RATE_HZ
    sine = 10 * np.sqrt(2) * np.sin(2 * np.pi * 10 * times_s)[np.newaxis]
    alpha = BAND_NAMES.index("alpha")
    assert band_power_uv2(sine, RATE_HZ)[0, alpha] == pytest.approx(100, rel=1e-6)
    expected = 0.5 * np.log(2 * np.pi * np.e * 100)
    assert differential_entropy(sine, RATE_HZ)[0, alpha] == pytest.approx(expected)


def test_a_dead_channel_has_a_finite_entropy() -> None:
    assert np.isfinite(differential_entropy(np.zeros((2, 256)), RATE_HZ)).all()


def test_relative_power_sums_to_one() -> None:
    shares = blocks.relative_power(spectrum_of(_window(5), RATE_HZ))
    assert shares.sum(axis=1) == pytest.approx(1.0)


def test_the_four_statistics_equal_scipys() -> None:
    samples_uv = _window(6)
    expected = np.stack(
        [
            samples_uv.mean(axis=1),
            samples_uv.std(axis=1),
            stats.skew(samples_uv, axis=1),
            stats.kurtosis(samples_uv, axis=1),
        ],
        axis=1,
    )
    assert np.abs(blocks.four_statistics(spectrum_of(samples_uv, RATE_HZ)) - expected).max() < 1e-9


def test_picards_six_by_their_definition() -> None:
    row = np.array([1.0, 3.0, 2.0, 6.0])
    sd = row.std()
    first, second = np.mean([2, 1, 4]), np.mean([1, 3])
    expected = [3.0, sd, first, first / sd, second, second / sd]
    assert blocks.six_statistics(spectrum_of(row[np.newaxis], RATE_HZ))[0] == pytest.approx(expected)


def test_hjorth_of_a_sine_is_its_frequency_and_one() -> None:
    times_s = np.arange(1280) / RATE_HZ
    activity, mobility, complexity = blocks.hjorth(
        spectrum_of(np.sin(2 * np.pi * 5 * times_s)[np.newaxis], RATE_HZ)
    )[0]
    assert activity == pytest.approx(0.5, rel=1e-3)
    assert mobility == pytest.approx(2 * np.sin(np.pi * 5 / RATE_HZ), rel=1e-3)
    assert complexity == pytest.approx(1.0, rel=1e-2)


def test_spectral_entropy_tells_a_tone_from_noise() -> None:
    noise = np.random.default_rng(0).normal(size=(1, 4096))
    tone = np.sin(2 * np.pi * 10 * np.arange(4096) / RATE_HZ)[np.newaxis]
    both = np.concatenate([noise, tone])
    high, low = blocks.spectral_entropy(spectrum_of(both, RATE_HZ))
    assert 0 <= low < 0.2 < 0.8 < high <= 1


def test_spectral_entropy_equals_that_of_welchs_density() -> None:
    samples_uv = _window(3)
    grid, density = _welch(samples_uv, RATE_HZ)
    inside = density[:, (grid >= 1) & (grid < 45)]
    share = inside / inside.sum(axis=1, keepdims=True)
    expected = -(share * np.log(share)).sum(axis=1) / np.log(share.shape[1])
    assert np.abs(blocks.spectral_entropy(spectrum_of(samples_uv, RATE_HZ)) - expected).max() < 1e-9


def test_asymmetries_have_the_published_signs() -> None:
    """More alpha on the right: FAA above zero, DASM below, RASM below one."""
    samples_uv = _window(4, seed=3)
    samples_uv[2] = 3 * samples_uv[1]
    spectrum = spectrum_of(samples_uv, RATE_HZ)
    channels = ("P7", "Fp1", "Fp2", "P8")
    assert blocks.frontal_alpha_asymmetry(spectrum, channels) == pytest.approx([2 * np.log(3)])
    frontal = blocks.dasm(spectrum, channels)[1]
    assert frontal == pytest.approx(-np.log(3) * np.ones(5))
    entropy = differential_entropy(samples_uv, RATE_HZ)
    assert blocks.rasm(spectrum, channels)[1] == pytest.approx(entropy[1] / entropy[2])


def test_seed_has_its_27_pairs() -> None:
    assert len(blocks.pairs_of(SEED_62)) == 27
    assert len(blocks.pairs_of(DEAP_32)) == 14


@pytest.mark.parametrize(
    ("name", "channels", "length"),
    [
        ("de5@1", MUSE, 20),
        ("de22@1", MUSE, 88),
        ("symde5@1", MUSE, 10),
        ("symde22@1", MUSE, 44),
        ("symde5@1", LAYOUTS["1020-19"], 55),
        ("rich@1", MUSE, 20 + 20 + 10 + 10 + 0 + 12 + 4 + 24),
        ("rich@1", LAYOUTS["cyton"], 40 + 40 + 20 + 20 + 1 + 24 + 8 + 48),
        ("deap167", DEAP_32, 167),
        ("seed310", SEED_62, 310),
    ],
)
def test_every_layout_has_its_length_and_unique_names(
    name: str, channels: tuple[str, ...], length: int
) -> None:
    schema = schema_named(name)
    assert schema.length(channels) == length
    names = schema.names(channels)
    assert len(set(names)) == len(names) == length
    values = FeatureExtractor(schema, channels, RATE_HZ)(_window(len(channels)))
    assert values.shape == (length,)
    assert np.isfinite(values).all()


def test_deap167_is_160_entropies_3_asymmetries_and_4_statistics_in_that_order() -> None:
    names = schema_named("deap167").names(DEAP_32)
    assert names[:2] == ("Fp1:1-4Hz", "Fp1:4-8Hz")
    assert names[159] == "O2:30-45Hz"
    assert names[160:] == (
        *("Fp1-Fp2:faa", "F3-F4:faa", "F7-F8:faa"),
        *("mean:mean", "mean:sd", "mean:skewness", "mean:kurtosis"),
    )


def test_a_published_layout_refuses_another_montage_by_what_is_missing() -> None:
    with pytest.raises(ValueError, match=r"deap167 is defined for 32 electrodes in order; missing AF3, F3"):
        FeatureExtractor(schema_named("deap167"), ("Fp1", *DEAP_32[4:]), RATE_HZ)
    with pytest.raises(ValueError, match="another order"):
        FeatureExtractor(schema_named("deap167"), DEAP_32[::-1], RATE_HZ)


def test_an_unknown_layout_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="unknown feature schema 'de6': one of de22@1, de5@1, deap167"):
        schema_named("de6")


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_masked_channel_never_leaks_a_number(name: str) -> None:
    schema = schema_named(name)
    channels = schema.electrodes or LAYOUTS["1020-19"]
    samples_uv = _window(len(channels))
    good = np.ones(len(channels))
    row = channels.index("F3")
    good[row] = 0
    extract = FeatureExtractor(schema, channels, RATE_HZ)
    clean = extract(samples_uv, good)
    samples_uv[row] = 1e5 * _window(1, seed=9)
    assert np.array_equal(extract(samples_uv, good), clean, equal_nan=True)


def test_a_region_with_one_good_half_uses_that_half() -> None:
    samples_uv = _window(4)
    symmetric = FeatureExtractor(schema_named("symde5@1"), MUSE, RATE_HZ)
    single = FeatureExtractor(schema_named("de5@1"), MUSE, RATE_HZ)(samples_uv)
    halves = symmetric(samples_uv, np.array([1.0, 0.0, 1.0, 1.0]))
    assert halves[5:] == pytest.approx(single[10:15])
    assert np.isnan(symmetric(samples_uv, np.array([1.0, 0.0, 0.0, 1.0]))[5:]).all()
