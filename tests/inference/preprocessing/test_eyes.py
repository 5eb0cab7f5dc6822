"""The eyes are read by blinks and alpha, are unknown where neither is seen, and are held against the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acquisition.readers.opening import open_recording
from acquisition.signal import EegChunk, FloatArray, StreamInfo
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.emotion import SignalQuality
from inference.pipeline import Pipeline, PipelineSettings
from support.recordings.a_head import head_noise

RATE_HZ = 256.0
BACK = ("C3", "C4", "O1", "O2")
FRONT = ("AF7", "AF8", "TP9", "TP10")


def read(
    samples_uv: FloatArray, channels: tuple[str, ...], rate_hz: float = RATE_HZ, rest_s: float = 10.0
) -> list[SignalQuality]:
    pipeline = Pipeline(
        StreamInfo("x", "x", channels, rate_hz),
        BandPowerClassifier(channels),
        PipelineSettings(baseline_s=rest_s),
    )
    said = pipeline.push(EegChunk(samples_uv, np.arange(samples_uv.shape[1]) / rate_hz))
    return [one for one in said if isinstance(one, SignalQuality)]


def eyes_at(said: list[SignalQuality], begin_s: float, end_s: float) -> set[str]:
    return {one.eyes for one in said if begin_s <= one.at_s < end_s}


def with_rhythm(seconds: float, rhythm: float, seed: int) -> FloatArray:
    return head_noise(seed, 4, round(seconds * RATE_HZ), RATE_HZ, 12.0, rhythm)


def blinks(seconds: float, every_s: float) -> FloatArray:
    """Of 150 uV and 0.3 s at the first two electrodes."""
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    phase_s = np.mod(times_s, every_s) - every_s / 2
    shape = 150 * np.clip(1 - (phase_s / 0.15) ** 2, 0, None)
    return np.outer([1.0, 1.0, 0.1, 0.1], shape)


def test_alpha_at_the_back_tells_closed_eyes_and_again_open_ones() -> None:
    parts = [with_rhythm(20, 0.3, 1), with_rhythm(30, 6.0, 2), with_rhythm(20, 0.3, 3)]
    said = read(np.concatenate(parts, axis=1), BACK)
    assert eyes_at(said, 8, 20) == {"open"}
    assert eyes_at(said, 27, 50) == {"closed"}
    assert eyes_at(said, 58, 70) == {"open"}


def test_blinks_tell_open_eyes_and_their_absence_closed_ones() -> None:
    head_uv = with_rhythm(90, 2.0, 1)
    head_uv[:, : round(40 * RATE_HZ)] += blinks(40, 5.0)
    said = read(head_uv, FRONT)
    assert eyes_at(said, 20, 38) == {"open"}
    assert eyes_at(said, 65, 90) == {"closed"}


def test_nothing_is_said_where_neither_can_be_seen() -> None:
    assert eyes_at(read(with_rhythm(60, 6.0, 1), FRONT), 0, 60) == {"unknown"}
    assert eyes_at(read(with_rhythm(60, 6.0, 1), ("C3", "C4", "Cz", "Fz")), 0, 60) == {"unknown"}


def test_a_refused_window_says_nothing_of_eyes() -> None:
    assert eyes_at(read(np.zeros((4, round(20 * RATE_HZ))), BACK), 0, 20) == {"unknown"}


def test_a_blink_comes_before_alpha() -> None:
    head_uv = with_rhythm(60, 6.0, 1)
    front = ("Fp1", "Fp2", "O1", "O2")
    head_uv[:, round(40 * RATE_HZ) :] += blinks(20, 2.0)
    said = read(head_uv, front)
    assert eyes_at(said, 20, 40) == {"closed"}
    assert eyes_at(said, 46, 58) == {"open"}


def test_the_eyes_of_the_rest_are_remembered_until_there_is_a_new_one() -> None:
    pipeline = Pipeline(
        StreamInfo("x", "x", BACK, RATE_HZ), BandPowerClassifier(BACK), PipelineSettings(baseline_s=15.0)
    )
    closed, opened = with_rhythm(25, 6.0, 1), with_rhythm(25, 0.3, 2)
    times_s = np.arange(closed.shape[1]) / RATE_HZ

    def last(samples_uv: FloatArray, from_s: float) -> SignalQuality:
        said = pipeline.push(EegChunk(samples_uv, from_s + times_s))
        return [one for one in said if isinstance(one, SignalQuality)][-1]

    assert last(closed, 0.0).rest_eyes == "closed"
    after = last(opened, 25.0)
    assert (after.eyes, after.rest_eyes) == ("open", "closed")
    pipeline.recalibrate()
    assert last(opened, 50.0).rest_eyes == "open"


@pytest.mark.eeg
def test_the_sample_with_both_states_is_read(eeg_dir: Path) -> None:
    recording = open_recording(eeg_dir / "openbci" / "OpenBCI_GUI-v6-blinks-jawClench-alpha.txt")
    said = read(recording.samples_uv, recording.info.channels, recording.info.rate_hz)
    assert eyes_at(said, 2, 30) == {"open"}
    assert eyes_at(said, 32, 70) == {"closed"}
    assert eyes_at(said, 78, 87) == {"open"}


@pytest.mark.eeg
def test_a_headband_without_blinks_says_nothing(eeg_dir: Path) -> None:
    recording = open_recording(eeg_dir / "muse" / "clean.csv")
    said = read(recording.samples_uv[:4], recording.info.channels[:4], recording.info.rate_hz)
    assert eyes_at(said, 0, 120) == {"unknown"}
