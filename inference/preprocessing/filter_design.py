"""Digital filter coefficients in closed form, so that the live engine need not import scipy.signal.

Butterworth designs follow the usual road (analog prototype, frequency transform, bilinear transform with
pre-warping); the notch is the second-order design of Orfanidis, *Introduction to Signal Processing* (1996),
section 11.3. The tests hold every response against ``scipy.signal`` to 1e-9.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Sections = NDArray[np.float64]
"""Second-order sections, shape (n_sections, 6): b0 b1 b2 a0 a1 a2, with a0 = 1."""


def butterworth_lowpass(order: int, cutoff_hz: float, rate_hz: float) -> Sections:
    """A low-pass (n_sections, 6) of even ``order``. Raises ``ValueError`` outside 0 < cutoff < rate/2."""
    _check(order, (cutoff_hz,), rate_hz)
    poles = _warp(cutoff_hz, rate_hz) * _prototype(order)
    return _sections(poles, zeros=-np.ones(order), rate_hz=rate_hz, unity_hz=0.0)


def butterworth_highpass(order: int, cutoff_hz: float, rate_hz: float) -> Sections:
    """A high-pass (n_sections, 6) of even ``order``. Raises ``ValueError`` outside 0 < cutoff < rate/2."""
    _check(order, (cutoff_hz,), rate_hz)
    poles = _warp(cutoff_hz, rate_hz) / _prototype(order)
    return _sections(poles, zeros=np.ones(order), rate_hz=rate_hz, unity_hz=rate_hz / 2)


def notch(centre_hz: float, quality: float, rate_hz: float) -> Sections:
    """One second-order notch, (1, 6), with -3 dB width ``centre_hz / quality``."""
    _check(2, (centre_hz,), rate_hz)
    omega = 2 * np.pi * centre_hz / rate_hz
    gain = 1 / (1 + np.tan(omega / quality / 2))
    b = gain * np.array([1.0, -2 * np.cos(omega), 1.0])
    a = np.array([1.0, -2 * gain * np.cos(omega), 2 * gain - 1])
    return np.concatenate([b, a])[np.newaxis]


def group_delay_s(sections: Sections, frequency_hz: float, rate_hz: float) -> float:
    """Group delay in seconds of the cascade (n_sections, 6) at one frequency, by a numerical derivative."""
    step = 1e-4 * rate_hz
    around = np.array([frequency_hz - step, frequency_hz + step])
    phase = np.unwrap(np.angle(response(sections, around, rate_hz)))
    return float(-(phase[1] - phase[0]) / (2 * np.pi * 2 * step))


def response(
    sections: Sections, frequencies_hz: NDArray[np.float64], rate_hz: float
) -> NDArray[np.complex128]:
    """Complex response at each frequency, shape (n_frequencies,)."""
    z = np.exp(-2j * np.pi * np.asarray(frequencies_hz) / rate_hz)
    powers = np.stack([np.ones_like(z), z, z * z])
    result: NDArray[np.complex128] = np.prod((sections[:, :3] @ powers) / (sections[:, 3:] @ powers), axis=0)
    return result


def _check(order: int, edges_hz: tuple[float, ...], rate_hz: float) -> None:
    if order < 2 or order % 2:
        raise ValueError(f"filter order must be even and at least 2, got {order}")
    for edge_hz in edges_hz:
        if not 0 < edge_hz < rate_hz / 2:
            raise ValueError(f"filter edge must lie inside 0..{rate_hz / 2:g} Hz, got {edge_hz:g}")


def _prototype(order: int) -> NDArray[np.complex128]:
    """Poles of the unit analog Butterworth low-pass, upper half plane only (each has its conjugate)."""
    angles = np.pi * (2 * np.arange(order // 2) + order + 1) / (2 * order)
    result: NDArray[np.complex128] = np.exp(1j * angles)
    return result


def _warp(edge_hz: float, rate_hz: float) -> float:
    return float(2 * rate_hz * np.tan(np.pi * edge_hz / rate_hz))


def _sections(
    analog_poles: NDArray[np.complex128], zeros: NDArray[np.float64], rate_hz: float, unity_hz: float
) -> Sections:
    digital = (2 * rate_hz + analog_poles) / (2 * rate_hz - analog_poles)
    zero = zeros[0]
    numerator = np.array([1.0, -2 * zero, zero * zero])
    rows = [np.concatenate([numerator, [1.0, -2 * pole.real, abs(pole) ** 2]]) for pole in digital]
    sections = np.array(rows)
    for row in sections:
        row[:3] /= abs(response(row[np.newaxis], np.array([unity_hz]), rate_hz)[0])
    return sections
