"""Features beside band entropy: relative power, asymmetries, Hjorth parameters, spectral entropy, statistics.

Each block is named, ordered and of known length for a montage. All start from one window's shared spectrum.
A channel that is masked gives NaN, and so does a pair with a masked half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from acquisition.montage import canonical
from acquisition.signal import FloatArray
from inference.features.spectrum import BAND_NAMES, BANDS, HOMOLOGUES, Spectrum, band_power_of

FRONTAL_PAIRS = (("Fp1", "Fp2"), ("F3", "F4"), ("F7", "F8"))
MIN_POWER_UV2 = 1e-6
SIX_NAMES = ("mean", "sd", "abs_diff", "abs_diff_norm", "abs_diff2", "abs_diff2_norm")
FOUR_NAMES = ("mean", "sd", "skewness", "kurtosis")
HJORTH_NAMES = ("activity", "mobility", "complexity")

Names = Callable[[Sequence[str]], tuple[str, ...]]
Compute = Callable[[Spectrum, Sequence[str]], FloatArray]


@dataclass(frozen=True, slots=True)
class FeatureBlock:
    """``names(channels)`` in order, and ``compute(spectrum, channels)`` that gives as many values."""

    name: str
    names: Names
    compute: Compute


def pairs_of(
    channels: Sequence[str], wanted: Sequence[tuple[str, str]] | None = None
) -> list[tuple[int, int]]:
    """Rows (left, right) of the homologous pairs that are there, in montage order or that of ``wanted``."""
    row = {canonical(name): i for i, name in enumerate(channels)}
    if wanted is None:
        twins = {canonical(left): canonical(right) for left, right in HOMOLOGUES.items()}
        wanted = [(canonical(name), twins[canonical(name)]) for name in channels if canonical(name) in twins]
    return [(row[left], row[right]) for left, right in wanted if left in row and right in row]


def relative_power(spectrum: Spectrum) -> FloatArray:
    """Each band's share of the power of all five, (n_channels, 5)."""
    power = band_power_of(spectrum, BANDS)
    share: FloatArray = power / np.maximum(power.sum(axis=1, keepdims=True), MIN_POWER_UV2)
    return share


def frontal_alpha_asymmetry(spectrum: Spectrum, channels: Sequence[str]) -> FloatArray:
    """ln(right alpha power) - ln(left), (n_pairs,) of frontal ones (Coan and Allen 2004, *Frontal EEG
    asymmetry as a moderator and mediator of emotion*). It is at chance as the only sign of valence.
    """
    log_alpha = _log_power(spectrum)[:, BAND_NAMES.index("alpha")]
    pairs = pairs_of(channels, FRONTAL_PAIRS)
    values: FloatArray = np.array([log_alpha[right] - log_alpha[left] for left, right in pairs])
    return values


def dasm(spectrum: Spectrum, channels: Sequence[str]) -> FloatArray:
    """Left minus right differential entropy, (n_pairs, 5) (Duan, Zhu and Lu 2013)."""
    left, right = _pair_rows(channels)
    entropy = _entropy(spectrum)
    difference: FloatArray = entropy[left] - entropy[right]
    return difference


def rasm(spectrum: Spectrum, channels: Sequence[str]) -> FloatArray:
    """Left over right differential entropy, (n_pairs, 5) (Duan, Zhu and Lu 2013).

    Entropies near 0 nat make the ratio explode; it is clipped to +-10.
    """
    left, right = _pair_rows(channels)
    entropy = _entropy(spectrum)
    below = np.where(np.abs(entropy[right]) < 1e-3, 1e-3, entropy[right])
    ratio: FloatArray = np.clip(entropy[left] / below, -10, 10)
    return ratio


def hjorth(spectrum: Spectrum) -> FloatArray:
    """Activity, mobility and complexity, (n_channels, 3) (Hjorth 1970, with first differences)."""
    first = np.diff(spectrum.samples_uv, axis=1)
    second = np.diff(first, axis=1)
    activity = spectrum.samples_uv.var(axis=1)
    tiny = MIN_POWER_UV2 * 1e-6
    mobility = np.sqrt(first.var(axis=1) / np.maximum(activity, tiny))
    change = np.sqrt(second.var(axis=1) / np.maximum(first.var(axis=1), tiny))
    return np.stack([activity, mobility, change / np.maximum(mobility, 1e-9)], axis=1)


def spectral_entropy(spectrum: Spectrum) -> FloatArray:
    """Shannon entropy of the 1-45 Hz spectrum over its greatest possible, 0..1, (n_channels,)
    (Inouye et al. 1991, *Quantification of EEG irregularity by use of the entropy of the power spectrum*).
    """
    inside = (spectrum.frequencies_hz >= 1) & (spectrum.frequencies_hz < 45)
    power = np.maximum(spectrum.power[:, inside], 1e-12)
    share = power / power.sum(axis=1, keepdims=True)
    entropy: FloatArray = -(share * np.log(share)).sum(axis=1) / np.log(inside.sum())
    return entropy


def six_statistics(spectrum: Spectrum) -> FloatArray:
    """Picard's six, (n_channels, 6): mean, sd, mean absolute first difference, the same of the standardised
    signal, mean absolute second difference, the same of the standardised signal (Picard, Vyzas and Healey
    2001, *Toward machine emotional intelligence*). The second difference is x[n+2] - x[n], as there.
    """
    samples = spectrum.samples_uv
    sd = samples.std(axis=1)
    first = np.abs(samples[:, 1:] - samples[:, :-1]).mean(axis=1)
    second = np.abs(samples[:, 2:] - samples[:, :-2]).mean(axis=1)
    safe = np.maximum(sd, 1e-9)
    return np.stack([samples.mean(axis=1), sd, first, first / safe, second, second / safe], axis=1)


def four_statistics(spectrum: Spectrum) -> FloatArray:
    """Mean, sd, skewness and excess kurtosis of each channel over the window, (n_channels, 4)."""
    centred = spectrum.samples_uv - spectrum.samples_uv.mean(axis=1, keepdims=True)
    square = centred * centred  # powers by multiplication: numpy's ** with 3 and 4 costs thirty times as much
    variance = square.mean(axis=1)
    safe = np.maximum(variance, MIN_POWER_UV2)
    skewness = (square * centred).mean(axis=1) / (safe * np.sqrt(safe))
    kurtosis = (square * square).mean(axis=1) / (safe * safe) - 3.0
    return np.stack([spectrum.samples_uv.mean(axis=1), np.sqrt(variance), skewness, kurtosis], axis=1)


def _masked(values: FloatArray, good: FloatArray | None) -> FloatArray:
    if good is None:
        return values
    shape = (-1,) + (1,) * (values.ndim - 1)
    masked: FloatArray = np.where(good.reshape(shape) > 0, values, np.nan)
    return masked


def _log_power(spectrum: Spectrum) -> FloatArray:
    power: FloatArray = np.log(np.maximum(band_power_of(spectrum, BANDS), MIN_POWER_UV2))
    return _masked(power, spectrum.good)


def _entropy(spectrum: Spectrum) -> FloatArray:
    entropy: FloatArray = 0.5 * (np.log(2 * np.pi * np.e) + _log_power(spectrum))
    return entropy


def _pair_rows(channels: Sequence[str]) -> tuple[list[int], list[int]]:
    pairs = pairs_of(channels)
    return [left for left, _ in pairs], [right for _, right in pairs]


def _per_channel(suffixes: Sequence[str]) -> Names:
    def names(channels: Sequence[str]) -> tuple[str, ...]:
        return tuple(f"{channel}:{suffix}" for channel in channels for suffix in suffixes)

    return names


def _per_pair(kind: str) -> Names:
    def names(channels: Sequence[str]) -> tuple[str, ...]:
        return tuple(
            f"{channels[left]}-{channels[right]}:{kind}_{band}"
            for left, right in pairs_of(channels)
            for band in BAND_NAMES
        )

    return names


def _frontal_names(channels: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        f"{channels[left]}-{channels[right]}:faa" for left, right in pairs_of(channels, FRONTAL_PAIRS)
    )


def _of_channels(
    function: Callable[[Spectrum], FloatArray],
) -> Callable[[Spectrum, Sequence[str]], FloatArray]:
    def compute(spectrum: Spectrum, channels: Sequence[str]) -> FloatArray:
        return _masked(function(spectrum), spectrum.good).ravel()

    return compute


def _of_pairs(function: Compute) -> Compute:
    def compute(spectrum: Spectrum, channels: Sequence[str]) -> FloatArray:
        return function(spectrum, channels).ravel()

    return compute


def _mean_four(spectrum: Spectrum, channels: Sequence[str]) -> FloatArray:
    values = _masked(four_statistics(spectrum), spectrum.good)
    seen = np.isfinite(values[:, 0])
    mean: FloatArray = values[seen].mean(axis=0) if seen.any() else np.full(len(FOUR_NAMES), np.nan)
    return mean


RELATIVE = FeatureBlock(
    "relative", _per_channel([f"rel_{b}" for b in BAND_NAMES]), _of_channels(relative_power)
)
FRONTAL_ALPHA = FeatureBlock("faa", _frontal_names, frontal_alpha_asymmetry)
DASM = FeatureBlock("dasm", _per_pair("dasm"), _of_pairs(dasm))
RASM = FeatureBlock("rasm", _per_pair("rasm"), _of_pairs(rasm))
HJORTH = FeatureBlock("hjorth", _per_channel(HJORTH_NAMES), _of_channels(hjorth))
SPECTRAL_ENTROPY = FeatureBlock(
    "spectral_entropy", _per_channel(["spectral_entropy"]), _of_channels(spectral_entropy)
)
SIX = FeatureBlock("six", _per_channel(SIX_NAMES), _of_channels(six_statistics))
MEAN_FOUR = FeatureBlock("mean_four", lambda channels: tuple(f"mean:{n}" for n in FOUR_NAMES), _mean_four)
