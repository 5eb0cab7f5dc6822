"""BrainVision recordings give the samples that MNE reads of the same files."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pytest

from acquisition.port import UnknownSourceError
from acquisition.readers import open_recording
from support.recordings.a_head import head_noise
from support.recordings.bids_making import write_brainvision

CHANNELS = ("Fp1", "Fp2", "T7", "ECG")
HEAD_UV = head_noise(1, 4, 1000, 250.0)


@pytest.mark.parametrize("vectorized", [False, True])
@pytest.mark.parametrize(("binary", "resolution"), [("IEEE_FLOAT_32", 1.0), ("INT_16", 0.1)])
def test_mne_reads_the_same(binary: str, resolution: float, vectorized: bool, tmp_path: Path) -> None:
    path = write_brainvision(
        tmp_path / "a.vhdr",
        HEAD_UV,
        250.0,
        CHANNELS,
        binary=binary,
        resolution=resolution,
        vectorized=vectorized,
    )
    ours = open_recording(path)
    theirs = mne.io.read_raw_brainvision(path, verbose="error")
    assert ours.info.rate_hz == theirs.info["sfreq"] == 250.0
    assert ours.info.channels == ("Fp1", "Fp2", "T7")
    assert ours.samples_uv == pytest.approx(1e6 * theirs.get_data()[:3], abs=1e-6)
    assert np.abs(ours.samples_uv - HEAD_UV[:3]).max() <= resolution / 2 + 1e-4
    assert ours.info.device == "BrainVision file (left out: ECG)"


def test_units_of_voltage_are_told_apart(tmp_path: Path) -> None:
    path = write_brainvision(tmp_path / "a.vhdr", HEAD_UV * 1e-3, 250.0, CHANNELS, unit="mV")
    assert open_recording(path).samples_uv == pytest.approx(HEAD_UV[:3], abs=1e-3)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("DataFile=a.eeg", "DataFile=../a.eeg", "DataFile must lie beside the header, got ../a.eeg"),
        ("DataFile=a.eeg", "DataFile=b.eeg", "no such file"),
        ("DataFormat=BINARY", "DataFormat=ASCII", "DataFormat must be BINARY, got ASCII"),
        ("IEEE_FLOAT_32", "CRAY", "BinaryFormat must be one of"),
        ("NumberOfChannels=4", "NumberOfChannels=400000000", "NumberOfChannels must count"),
        ("SamplingInterval=4000", "SamplingInterval=0", "not a readable BrainVision header"),
        ("[Common Infos]", "[Common", "not a readable BrainVision header"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, rule: str, tmp_path: Path) -> None:
    path = write_brainvision(tmp_path / "a.vhdr", HEAD_UV, 250.0, CHANNELS)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UnknownSourceError, match=rule):
        open_recording(path)
