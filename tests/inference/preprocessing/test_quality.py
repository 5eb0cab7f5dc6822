"""The quality gate: each reason on the signal that earns it, and on real recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acquisition.readers import open_recording
from acquisition.signal import FloatArray
from inference.features.schemas import BANDS, FeatureExtractor, schema_named
from inference.features.spectrum import spectrum_of
from inference.pipeline import PipelineSettings
from inference.preprocessing.front_end import FrontEnd, ReadyWindow
from inference.preprocessing.quality import GatedWindow, judge_window

CHANNELS = ("TP9", "AF7", "AF8", "TP10")
RATE_HZ = 256.0


def _head(seconds: float = 6.0, seed: int = 0) -> FloatArray:
    """Four good channels: pink-like background with some alpha, 10-15 uV."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE_HZ)
    shape = 1 / np.maximum(np.fft.rfftfreq(n, 1 / RATE_HZ), 1.0)
    pink = np.fft.irfft(np.fft.rfft(rng.normal(size=(4, n)), axis=1) * shape, n, axis=1)
    pink *= 10 / pink.std(axis=1, keepdims=True)
    alpha = 6 * np.sin(2 * np.pi * 10 * np.arange(n) / RATE_HZ + rng.uniform(0, 6, (4, 1)))
    samples: FloatArray = pink + alpha
    return samples


def _gate(samples_uv: FloatArray, channels: tuple[str, ...] = CHANNELS) -> GatedWindow:
    return _judged(_windows(samples_uv)[-1], channels)


def _windows(samples_uv: FloatArray, rate_hz: float = RATE_HZ) -> list[ReadyWindow]:
    front = FrontEnd(rate_hz, len(samples_uv), PipelineSettings())
    return list(front.push(samples_uv, np.arange(samples_uv.shape[1]) / rate_hz))


def _judged(
    window: ReadyWindow, channels: tuple[str, ...] = CHANNELS, rate_hz: float = RATE_HZ
) -> GatedWindow:
    return judge_window(
        channels,
        spectrum_of(window.filtered_uv, 128.0),
        window.raw_uv,
        raw_rate_hz=rate_hz,
        end_s=window.end_s,
        finite=window.finite,
        lost_share=window.lost_share,
    )


def _reasons(gate: GatedWindow) -> dict[str, tuple[str, ...]]:
    return {channel.channel: channel.reasons for channel in gate.quality.channels}


def _blink(samples_uv: FloatArray, rows: tuple[int, ...], peak_uv: float = 180.0) -> FloatArray:
    """A bump of a third of a second in the last window."""
    n = round(0.35 * RATE_HZ)
    start = samples_uv.shape[1] - 256
    for row in rows:
        samples_uv[row, start : start + n] += peak_uv * np.hanning(n)
    return samples_uv


def test_a_good_head_is_good() -> None:
    gate = _gate(_head())
    assert gate.accepted
    assert gate.quality.worn
    assert gate.quality.overall == pytest.approx(1.0)
    assert set(_reasons(gate).values()) == {()}


def test_flat() -> None:
    samples_uv = _head()
    samples_uv[2] = 817.5
    gate = _gate(samples_uv)
    assert "flat" in _reasons(gate)["AF8"]
    assert gate.good.tolist() == [1, 1, 0, 1]


def test_railed() -> None:
    samples_uv = _head()
    samples_uv[0, -300:] = np.where(np.arange(300) % 3 == 0, 1000.0, samples_uv[0, -300:])
    assert "railed" in _reasons(_gate(samples_uv))["TP9"]
    assert _gate(samples_uv).good[0] == 0


def test_an_offset_of_tens_of_millivolts_is_no_rail() -> None:
    samples_uv = _head() + 61_000.0
    assert _gate(samples_uv).quality.overall > 0.9


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_line_noise_costs_score_but_the_filters_take_it_out(mains_hz: float) -> None:
    samples_uv = _head()
    hum = np.sin(2 * np.pi * mains_hz * np.arange(samples_uv.shape[1]) / RATE_HZ)
    samples_uv[3] += 150 * hum
    gate = _gate(samples_uv)
    assert _reasons(gate)["TP10"] == ("line_noise",)
    assert 0.5 <= gate.quality.channels[3].score < 0.9
    samples_uv[3] += 20_000 * hum
    assert _gate(samples_uv).good[3] == 0


def test_muscle() -> None:
    samples_uv = _head()
    rng = np.random.default_rng(1)
    fast = np.fft.rfft(rng.normal(size=samples_uv.shape[1]))
    grid = np.fft.rfftfreq(samples_uv.shape[1], 1 / RATE_HZ)
    samples_uv[0] += 900 * np.fft.irfft(fast * ((grid > 28) & (grid < 60)), samples_uv.shape[1]) / 10
    gate = _gate(samples_uv)
    assert "muscle" in _reasons(gate)["TP9"]
    assert gate.good.tolist() == [0, 1, 1, 1]


def test_loose() -> None:
    samples_uv = _head()
    samples_uv[3] += 300 * np.sin(2 * np.pi * 3.3 * np.arange(samples_uv.shape[1]) / RATE_HZ)
    gate = _gate(samples_uv)
    assert "loose" in _reasons(gate)["TP10"]
    assert gate.good[3] == 0


def test_not_finite() -> None:
    samples_uv = _head()
    samples_uv[1, -5] = np.inf
    gate = _gate(samples_uv)
    assert "not_finite" in _reasons(gate)["AF7"]
    assert gate.good[1] == 0
    assert all(np.isfinite(channel.score) for channel in gate.quality.channels)


def test_a_blink_masks_the_slow_bands_of_the_forehead_and_nothing_else() -> None:
    gate = _gate(_blink(_head(), rows=(1, 2)))
    assert {name for name, reasons in _reasons(gate).items() if "blink" in reasons} == {"AF7", "AF8"}
    assert gate.accepted
    usable = gate.usable(BANDS)
    assert usable[1].tolist() == [0, 0, 1, 1, 1]
    assert usable[0].tolist() == [1, 1, 1, 1, 1]


def test_behind_the_ears_no_bump_is_called_a_blink() -> None:
    gate = _gate(_blink(_head(), rows=(0, 3)))
    assert not any("blink" in reasons for reasons in _reasons(gate).values())


@pytest.mark.parametrize("peak_uv", [150.0, 220.0, 350.0])
def test_a_blink_does_not_change_what_is_still_used(peak_uv: float) -> None:
    """The bands that are kept move far less than the noise between windows; the masked would move much."""
    extract = FeatureExtractor(schema_named("de5@1"), CHANNELS, 128.0)
    still, blinked = _windows(_head())[-1], _windows(_blink(_head(), (1, 2), peak_uv))[-1]
    clean = extract(still.filtered_uv)
    masked = extract(blinked.filtered_uv, _judged(blinked).usable(BANDS))
    unmasked = extract(blinked.filtered_uv)
    assert np.isnan(masked[5:7]).all()
    assert np.nanmax(np.abs(masked - clean)) < 0.35
    assert np.abs(unmasked - clean).max() > 0.8


def test_heavy_blinks_do_not_make_a_forehead_electrode_loose() -> None:
    gate = _gate(_blink(_head(), rows=(1, 2), peak_uv=450.0))
    assert _reasons(gate)["AF7"] == ("blink",)


def test_a_window_with_half_of_its_channels_bad_is_judged_by_the_share() -> None:
    samples_uv = _head()
    samples_uv[:2] = 0.0
    assert _gate(samples_uv).accepted
    samples_uv[2] = 0.0
    gate = _gate(samples_uv)
    assert not gate.accepted
    assert not gate.quality.worn


def test_a_headset_on_the_table_is_not_worn() -> None:
    """Open inputs: mains by the hundred microvolts and slow drifts, no brain."""
    times_s = np.arange(round(8 * RATE_HZ)) / RATE_HZ
    rng = np.random.default_rng(4)
    drift = rng.normal(size=(4, len(times_s))).cumsum(axis=1) * 25
    hum = 900 * np.sin(2 * np.pi * 50 * times_s + rng.uniform(0, 6, (4, 1)))
    assert not _gate(hum + drift).quality.worn
    assert not _gate(np.zeros((4, 2048))).quality.worn


def _recorded(path: Path) -> tuple[list[GatedWindow], tuple[str, ...]]:
    recording = open_recording(str(path))
    rate_hz, channels = recording.info.rate_hz, recording.info.channels
    eeg = [i for i, name in enumerate(channels) if name in {*CHANNELS, "Fp1", "Fp2", "C3", "C4", "P7", "P8"}]
    names = tuple(channels[i] for i in eeg)
    return [_judged(w, names, rate_hz) for w in _windows(recording.samples_uv[eeg], rate_hz)], names


@pytest.mark.eeg
def test_good_contact_on_a_real_headband_is_accepted(eeg_dir: Path) -> None:
    gates, _ = _recorded(eeg_dir / "muse" / "clean.csv")
    assert all(gate.accepted and gate.quality.worn for gate in gates)


@pytest.mark.eeg
def test_an_electrode_off_on_a_real_headband_is_refused(eeg_dir: Path) -> None:
    gates, _ = _recorded(eeg_dir / "muse" / "saturated.csv")
    assert not any(gate.accepted for gate in gates)
    assert any("railed" in reasons for gate in gates for reasons in _reasons(gate).values())


@pytest.mark.eeg
def test_real_blinks_are_seen_on_the_forehead_when_they_happened(eeg_dir: Path) -> None:
    """The recording blinks in its first 20 s and after 70 s; the eyes are closed from 25 to 70 s."""
    gates, _ = _recorded(eeg_dir / "openbci" / "OpenBCI_GUI-v6-blinks-jawClench-alpha.txt")
    blinked = np.array([bool(gate.blink.any()) for gate in gates])
    at_s = np.array([gate.quality.at_s for gate in gates])
    assert blinked[at_s < 20].mean() > 0.5
    assert blinked[(at_s > 30) & (at_s < 68)].mean() < 0.05
    assert all(
        "blink" not in reasons
        for gate in gates
        for name, reasons in _reasons(gate).items()
        if name in ("C3", "P7")
    )
    jaw = [gate for gate in gates if 8 < gate.quality.at_s < 20]
    assert any("muscle" in reasons for gate in jaw for reasons in _reasons(gate).values())
