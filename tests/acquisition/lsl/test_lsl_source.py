"""LSL streams of every make: units, scales, and what no EEG can be."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from acquisition.lsl.inlet_source import LslSource
from acquisition.port import SourceError, UnknownSourceError
from support.collecting import collect, opened
from support.peers.real_outlet import RealOutlet


def test_millivolts_become_microvolts_and_names_todays() -> None:
    with RealOutlet(unit="millivolts", labels=["EEG T3-REF", "FP1"]) as outlet:
        source = LslSource("", {"source_id": str(outlet.settings["source_id"])})
        try:
            info = opened(source)
            assert info.channels == ("T7", "Fp1")
            chunks = collect(source, 1.0)
        finally:
            source.close()
    lengths = [chunk.samples_uv.shape[1] for chunk in chunks]
    assert np.median(lengths) >= 10, "a poll gathers as long as it may wait, whatever is pushed at once"
    samples_uv = np.concatenate([chunk.samples_uv for chunk in chunks], axis=1)
    assert np.abs(samples_uv).max(axis=1) == pytest.approx([10.0, 20.0], rel=0.02)


def test_the_eeg_is_taken_where_other_streams_bear_its_name_and_nothing_of_our_own() -> None:
    ours = RealOutlet(name="a session", source_id="neuroplayer-x", labels=["Fp1", "Fp2"])
    pulse = RealOutlet(name="Muse", source_id="m1", type="PPG", labels=["a", "b", "c"])
    with ours, pulse, RealOutlet(name="Muse", source_id="m1"):
        for source in (LslSource("Muse"), LslSource("")):
            try:
                assert source.open().channels == ("TP9", "AF7", "AF8", "TP10")
            finally:
                source.close()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"unit": "furlongs"}, "one known unit of volts"),
        ({"rate_hz": 10.0}, "a rate of 100..1000 Hz, got 10"),
        ({"rate_hz": 2000.0}, "a rate of 100..1000 Hz, got 2000"),
    ],
)
def test_what_no_eeg_can_be_is_refused_in_one_line(changed: dict[str, object], words: str) -> None:
    with RealOutlet(**changed) as outlet:
        source = LslSource(outlet.name)
        with pytest.raises(SourceError, match=words) as refused:
            opened(source)
        source.close()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("options", [{"colour": "blue"}, {"scope": "universe"}])
def test_options_that_are_not_known_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(UnknownSourceError, match="one of"):
        LslSource("x", options)


def test_eeg_and_an_accelerometer_in_one_stream_are_told_apart() -> None:
    labels = ["TP9", "AF7", "AF8", "TP10", "accX", "accY", "Right AUX"]
    units = ["microvolts"] * 4 + ["g", "g", "microvolts"]
    with RealOutlet(labels=labels, units=units, types=["EEG"] * 4 + ["ACC", "ACC", "EEG"]) as outlet:
        source = LslSource(outlet.name)
        try:
            info = opened(source)
            assert info.channels == ("TP9", "AF7", "AF8", "TP10")
            assert info.extras == ("accX", "accY", "Right AUX")
            chunks = collect(source, 1.0)
        finally:
            source.close()
    samples_uv = np.concatenate([chunk.samples_uv for chunk in chunks], axis=1)
    extras = np.concatenate([chunk.extras for chunk in chunks if chunk.extras is not None], axis=1)
    assert np.abs(samples_uv).max(axis=1) == pytest.approx([10.0, 20.0, 30.0, 40.0], rel=0.02)
    assert np.abs(extras).max(axis=1) == pytest.approx([50.0, 60.0, 70.0], rel=0.02)


@pytest.mark.parametrize("unit", ["\u00b5V", "\u03bcV", "uV", "Microvolt"])
def test_microvolts_by_any_name(unit: str) -> None:
    with RealOutlet(unit=unit) as outlet:
        source = LslSource(outlet.name)
        try:
            opened(source)
            chunks = collect(source, 0.5)
        finally:
            source.close()
    assert np.abs(np.concatenate([c.samples_uv for c in chunks], axis=1)).max() == pytest.approx(
        40.0, rel=0.02
    )


@pytest.mark.parametrize(("per_s", "shift_s"), [(1e3, 0.0), (1e3, 1.7e9), (1e6, 1.7e9)])
def test_stamps_in_milliseconds_are_seconds_when_they_are_read(per_s: float, shift_s: float) -> None:
    with RealOutlet(stamps_per_s=per_s, shift_s=shift_s) as outlet:
        source = LslSource(outlet.name)
        try:
            opened(source)
            chunks = collect(source, 2.0)
        finally:
            source.close()
    times_s = np.concatenate([chunk.times_s for chunk in chunks])
    assert np.median(np.diff(times_s)) == pytest.approx(1 / 256, rel=0.01)
    assert len(times_s) == pytest.approx(256 * (times_s[-1] - times_s[0]), rel=0.05)


def test_numbers_that_nothing_can_have_measured_are_no_samples() -> None:
    with RealOutlet(factor=1e307, format="double64", unit="volts") as outlet, warnings.catch_warnings():
        warnings.simplefilter("error")
        source = LslSource(outlet.name)
        try:
            opened(source)
            chunks = collect(source, 0.5)
        finally:
            source.close()
    assert np.isnan(np.concatenate([chunk.samples_uv for chunk in chunks], axis=1)).mean() > 0.9
