"""The recordings that broke this product once, each with the right answer that stands beside it."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pytest

from acquisition.export import export_session
from acquisition.port import UnknownSourceError
from acquisition.readers import open_recording
from support.reading_states import windows_of

FIELD_DIR = Path(__file__).resolve().parents[3] / ".." / "shared" / "field"
MUSE = ("TP9", "AF7", "AF8", "TP10")
TWO = ("Fp1", "Fp2")
CYTON = ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2")


@pytest.fixture(scope="session")
def field_dir() -> Path:
    if not FIELD_DIR.is_dir():
        pytest.skip(f"the recordings are not here: {FIELD_DIR}")
    return FIELD_DIR.resolve()


@pytest.mark.parametrize(
    ("name", "channels", "rate_hz", "seconds", "gaps_s"),
    [
        ("session_first_chunk_of_one.xdf", MUSE, 128, 12.508, ()),
        ("session_clock_0.2_percent_slow.xdf", MUSE, 128, 2560 / 127.75, ()),
        ("xdf_effective_below_nominal.xdf", MUSE, 128, 5120 / 127.7, ()),
        ("xdf_outlet_came_back.xdf", MUSE, 128, 19.0, ((8.0, 11.0),)),
        ("edf_eeg128_snore256.edf", TWO, 128, 20.0, ()),
        ("edf_plus_d_gap25s.edf", TWO, 128, 45.0, ((10.0, 35.0),)),
        ("edf_unit_micro_sign_latin1.edf", TWO, 128, 20.0, ()),
        ("rec #1.edf", TWO, 128, 20.0, ()),
        ("really_a_bdf.edf", TWO, 128, 20.0, ()),
        ("muse_gap0.5s_glued.csv", MUSE, 256, 12.5, ((6.0, 6.5),)),
        ("muse_gap2.5s_taken_for_220Hz.csv", MUSE, 256, 14.5, ((10.0, 12.5),)),
        ("muse_bluemuse_milliseconds.csv", MUSE, 256, 12.0, ()),
        ("openbci_gui_v2_header.txt", CYTON, 250, 4.0, ()),
    ],
)
def test_what_is_read_is_what_is_right(
    name: str,
    channels: tuple[str, ...],
    rate_hz: float,
    seconds: float,
    gaps_s: tuple[tuple[float, float], ...],
    field_dir: Path,
) -> None:
    found = open_recording(field_dir / name)
    assert (found.info.channels, found.info.rate_hz) == (channels, rate_hz)
    assert found.duration_s == pytest.approx(seconds, abs=0.02)
    assert np.array(found.gaps_s).ravel() == pytest.approx(np.array(gaps_s).ravel(), abs=0.01)


def test_packets_that_the_radio_lost_are_a_gap_of_as_many_as_the_count_tells(field_dir: Path) -> None:
    """500 were lost: the count, which begins anew after 256, tells of 244, and the stamps of none."""
    found = open_recording(field_dir / "openbci_2s_of_packets_lost.txt")
    ((begin_s, end_s),) = found.gaps_s
    assert begin_s == pytest.approx(3.2)
    assert round((end_s - begin_s) * 250) % 256 == 500 % 256
    assert found.info.channels == CYTON


def test_decimal_commas_are_refused_by_name(field_dir: Path) -> None:
    with pytest.raises(
        UnknownSourceError, match=r"openbci_decimal_comma\.txt: line 6 has 27 fields .* names 14"
    ):
        open_recording(field_dir / "openbci_decimal_comma.txt")


def test_what_was_left_out_is_said(field_dir: Path) -> None:
    assert open_recording(field_dir / "edf_eeg128_snore256.edf").info.device == "EDF file (left out: Snore)"


@pytest.mark.parametrize(
    "name",
    [
        "session_first_chunk_of_one.xdf",
        "session_clock_0.2_percent_slow.xdf",
        "xdf_effective_below_nominal.xdf",
    ],
)
def test_nearly_every_window_is_read(name: str, field_dir: Path) -> None:
    windows = windows_of(str(field_dir / name))
    assert len(windows.read_s) >= len(windows.ended_s) - 4, "the filters settle over the first four"


@pytest.mark.parametrize("name", ["session_first_chunk_of_one.xdf", "session_clock_0.2_percent_slow.xdf"])
def test_an_export_has_neither_zeros_nor_holes(name: str, field_dir: Path, tmp_path: Path) -> None:
    raw = mne.io.read_raw_edf(export_session(field_dir / name, tmp_path / "a.edf"), verbose="error")
    recorded = round(open_recording(field_dir / name).duration_s * 128)
    assert not (np.abs(raw.get_data()[:, :recorded]).sum(axis=0) == 0).any()
    assert not [text for text in raw.annotations.description if text.startswith("BAD_gap")]


def test_no_window_is_read_across_the_pause(field_dir: Path) -> None:
    windows = windows_of(str(field_dir / "edf_plus_d_gap25s.edf"))
    assert not [end_s for end_s in windows.read_s if 10.1 < end_s < 36.5]
    assert sum(end_s > 37 for end_s in windows.read_s) >= 10
