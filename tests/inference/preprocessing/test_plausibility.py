"""What comes from no head is refused within ten seconds, with its reason; what comes from one is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acquisition.readers.npz_people import open_people
from acquisition.readers.opening import open_recording
from acquisition.signal import EegChunk, FloatArray, Gap, StreamInfo
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.emotion import NO_HEAD, EmotionState, QualityReason, Reading, SignalQuality
from inference.offline import feature_sequence
from inference.pipeline import Pipeline, PipelineSettings
from support.recordings.a_head import head_noise
from support.recordings.not_eeg import not_eeg

MUSE = ("TP9", "AF7", "AF8", "TP10")
PEOPLE = {4: ("Fp1", "Fp2", "P7", "P8"), 8: ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2")}
RATE_HZ = 256.0
REST_S, WITHIN_S = 60.0, 10.0
NAMES = tuple(not_eeg(np.ones((4, 256)), RATE_HZ))


def read(samples_uv: FloatArray, rate_hz: float, channels: tuple[str, ...]) -> list[Reading]:
    pipeline = Pipeline(
        StreamInfo("x", "x", channels, rate_hz), BandPowerClassifier(channels), PipelineSettings()
    )
    times_s = np.arange(samples_uv.shape[1]) / rate_hz
    return list(pipeline.push(EegChunk(samples_uv, times_s)))


def after_a_rest(rest_uv: FloatArray, then_uv: FloatArray, rate_hz: float, channels: tuple[str, ...]) -> None:
    """A minute of rest, then what is no EEG: from ten seconds on nothing is believed, and it is said why."""
    readings = read(np.concatenate([rest_uv, then_uv], axis=1), rate_hz, channels)
    late = rest_uv.shape[1] / rate_hz + WITHIN_S
    states = [r for r in readings if isinstance(r, EmotionState) and r.at_s > late]
    unreliable = [state.status == "unreliable" for state in states]
    assert unreliable[0]
    assert np.mean(unreliable) > 0.8, [state.status for state in states]
    assert not [state.emotion for state in states if state.emotion != "unknown"]
    reasons = {
        reason
        for r in readings
        if isinstance(r, SignalQuality) and r.at_s > late
        for channel in r.channels
        for reason in channel.reasons
    }
    assert reasons


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_eeg_is_refused_after_a_head(name: str) -> None:
    rest_uv = head_noise(3, 4, round(REST_S * RATE_HZ) + 512, RATE_HZ)
    after_a_rest(
        rest_uv, not_eeg(head_noise(4, 4, round(20 * RATE_HZ), RATE_HZ), RATE_HZ)[name], RATE_HZ, MUSE
    )


@pytest.mark.eeg
@pytest.mark.parametrize("electrodes", PEOPLE)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_eeg_is_refused_after_the_rest_of_a_person(
    name: str, electrodes: int, eeg_dir: Path
) -> None:
    people = open_people(eeg_dir / "eegmat" / "eegmat_128hz_int16.npz")
    rows = [people.channels.index(channel) for channel in PEOPLE[electrodes]]
    rest_uv = people.part_uv("S05_rest")[rows]
    half = round((REST_S + 4) * people.rate_hz)
    strange_uv = not_eeg(rest_uv[:, half : half + round(25 * people.rate_hz)], people.rate_hz)[name]
    after_a_rest(rest_uv[:, :half], strange_uv, people.rate_hz, PEOPLE[electrodes])


@pytest.mark.parametrize("name", ["white noise, 10 uV", "sine of 10 Hz", "one electrode copied to all"])
def test_no_rest_is_taken_of_what_is_no_eeg(name: str) -> None:
    strange_uv = not_eeg(head_noise(4, 4, round(90 * RATE_HZ), RATE_HZ), RATE_HZ)[name]
    states = [r for r in read(strange_uv, RATE_HZ, MUSE) if isinstance(r, EmotionState)]
    assert {state.status for state in states if state.at_s > WITHIN_S} == {"unreliable"}


@pytest.mark.eeg
@pytest.mark.parametrize("electrodes", PEOPLE)
def test_of_real_windows_fewer_than_one_in_two_hundred_is_refused(electrodes: int, eeg_dir: Path) -> None:
    people = open_people(eeg_dir / "eegmat" / "eegmat_128hz_int16.npz")
    rows = [people.channels.index(channel) for channel in PEOPLE[electrodes]]
    parts = [people.part_uv(f"{name}_{part}")[rows] for name in people.people for part in ("rest", "arith")]
    shares = [share_refused(read(part_uv, people.rate_hz, PEOPLE[electrodes])) for part_uv in parts]
    assert np.average(shares, weights=[part_uv.shape[1] for part_uv in parts]) < 0.005


@pytest.mark.eeg
def test_files_of_headsets_are_not_refused(eeg_dir: Path) -> None:
    muse = open_recording(eeg_dir / "muse" / "clean.csv")
    assert share_refused(read(muse.samples_uv[:4], muse.info.rate_hz, MUSE)) == 0
    cyton = open_recording(eeg_dir / "openbci" / "OpenBCI_GUI-v6-blinks-jawClench-alpha.txt")
    assert share_refused(read(cyton.samples_uv, cyton.info.rate_hz, cyton.info.channels)) == 0


def share_refused(readings: list[Reading]) -> float:
    quality = [r for r in readings if isinstance(r, SignalQuality)]
    return float(np.mean([bool(NO_HEAD & set(r.channels[0].reasons)) for r in quality]))


def first_reason(samples_uv: FloatArray) -> QualityReason | None:
    for reading in read(samples_uv, RATE_HZ, MUSE):
        if isinstance(reading, SignalQuality) and NO_HEAD & set(reading.channels[0].reasons):
            assert reading.overall == 0
            assert not reading.worn
            return next(iter(NO_HEAD & set(reading.channels[0].reasons)))
    return None


def test_each_reason_is_the_one_that_fits() -> None:
    signals = not_eeg(head_noise(4, 4, round(15 * RATE_HZ), RATE_HZ), RATE_HZ)
    assert first_reason(signals["one electrode copied to all"]) == "alike"
    assert first_reason(signals["pink noise, 10 uV"]) == "unrelated"
    assert first_reason(signals["sine of 10 Hz, phases apart"]) == "narrow"
    shared = np.array([[1, 0.4, 0.2, 0.1], [0.4, 1, 0.4, 0.2], [0.2, 0.4, 1, 0.4], [0.1, 0.2, 0.4, 1]])
    assert first_reason(shared @ signals["white noise, 10 uV"]) == "slope"
    assert first_reason(head_noise(4, 4, round(15 * RATE_HZ), RATE_HZ)) is None


def test_training_and_the_engine_refuse_the_same_windows() -> None:
    head_uv = head_noise(3, 4, round(20 * RATE_HZ), RATE_HZ)
    samples_uv = np.concatenate([head_uv, not_eeg(head_uv, RATE_HZ)["white noise, 10 uV"]], axis=1)
    live = [r for r in read(samples_uv, RATE_HZ, MUSE) if isinstance(r, SignalQuality)]
    offline = feature_sequence(samples_uv, RATE_HZ, MUSE, "de5@1")
    refused = [bool(NO_HEAD & set(r.channels[0].reasons)) for r in live]
    assert 20 < sum(refused) < 40
    assert refused == (~offline.accepted).tolist()


def test_what_lies_before_a_gap_is_not_held_against_what_follows() -> None:
    n = round(8 * RATE_HZ)
    noise_uv = not_eeg(np.ones((4, n)), RATE_HZ)["white noise, 10 uV"]
    pipeline = Pipeline(StreamInfo("x", "x", MUSE, RATE_HZ), BandPowerClassifier(MUSE), PipelineSettings())
    times_s = np.arange(n) / RATE_HZ
    before = pipeline.push(EegChunk(noise_uv, times_s))
    pipeline.push(Gap(8.0, 20.0, 3072, "lost", bridged=False))
    after = pipeline.push(EegChunk(head_noise(3, 4, n, RATE_HZ), 20 + times_s))
    assert share_refused(list(before)) > 0
    assert share_refused(list(after)) == 0
