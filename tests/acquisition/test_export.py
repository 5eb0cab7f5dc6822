"""Exports: what MNE reads in them is what was recorded."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import mne
import numpy as np
import pytest

from acquisition.export import MAX_NOTE_CHARS, ExportError, export_session
from acquisition.port import UnknownSourceError
from acquisition.recording.session_recorder import SessionRecorder
from acquisition.signal import EegChunk, FloatArray, Gap, HeadsetStatus
from support.recordings.session_making import BEGAN, CHANNELS, INFO, RATE_HZ, SETTINGS

LOST_S = 2.0


def _samples(n: int) -> FloatArray:
    times_s = np.arange(n) / RATE_HZ
    return np.stack([10.0 * (row + 1) * np.sin(2 * np.pi * (3 + row) * times_s) for row in range(4)])


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Eight seconds with two missing in the middle, and things that happened."""
    path = tmp_path / "a.xdf"
    recorder = SessionRecorder(path, BEGAN, SETTINGS, on_news=lambda _: None)
    recorder.on_item(HeadsetStatus("streaming", INFO))
    samples_uv, size = _samples(8 * 256), 64
    for begin in range(0, 8 * 256, size):
        times_s = 50 + (begin + np.arange(size)) / RATE_HZ
        if begin == 3 * 256:
            recorder.on_item(Gap(53.0, 53.0 + LOST_S, round(LOST_S * RATE_HZ), "lost"))
        if 3 * 256 <= begin < 5 * 256:
            continue
        recorder.on_item(EegChunk(samples_uv[:, begin : begin + size], times_s, extras=np.zeros((1, size))))
        state = {"emotion": "relaxed" if begin >= 6 * 256 else "neutral", "status": "ok"}
        recorder.text("EmotionState", json.dumps(state), float(times_s[-1]))
    decision = {"kind": "mood_change", "chosen": {"title": "Stilles Wasser"}}
    recorder.text("PlayerDecision", json.dumps(decision), 57.0)
    hostile = {"title": "a\x14b\n" + "c" * 1000, "paused": False}
    recorder.text("AudioMarkers", json.dumps(hostile), 57.1)
    recorder.text("AudioMarkers", '"torn', 57.2)
    recorder.close()
    return path


def test_what_is_no_session_is_said_to_be_none(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("no session")
    with pytest.raises(UnknownSourceError, match=r"notes\.txt: not a session recorded by neuroplayer"):
        export_session(other, tmp_path / "a.edf")


@pytest.mark.parametrize(("suffix", "tolerance_uv"), [("edf", 0.002), ("bdf", 0.00002)])
def test_mne_reads_samples_states_music_and_gaps(session: Path, suffix: str, tolerance_uv: float) -> None:
    written = export_session(session, session.with_suffix(f".{suffix}"))
    read = mne.io.read_raw_edf if suffix == "edf" else mne.io.read_raw_bdf
    raw = read(written, preload=True, verbose="error")
    assert raw.ch_names == [f"EEG {name}" for name in CHANNELS]
    assert raw.info["sfreq"] == RATE_HZ
    assert raw.info["meas_date"].isoformat().startswith("2026-01-02T03:04:05")
    found_uv = 1e6 * raw.get_data()
    wanted_uv = _samples(8 * 256)
    kept = np.r_[0 : 3 * 256, 5 * 256 : 8 * 256]
    assert np.abs(found_uv[:, kept] - wanted_uv[:, kept]).max() < tolerance_uv
    assert np.abs(found_uv[:, 3 * 256 : 5 * 256]).max() < 0.02
    noted = {(a["description"], round(float(a["onset"]), 1)) for a in raw.annotations}
    assert ("BAD_gap lost", 3.0) in noted
    assert ("music mood_change: Stilles Wasser", 7.0) in noted
    assert any(text.startswith("sound a b cc") and len(text) == MAX_NOTE_CHARS for text, _ in noted)
    assert ("AudioMarkers, which cannot be read", 7.2) in noted
    states = [a["description"] for a in raw.annotations if a["description"].startswith("state")]
    assert states == ["state neutral (ok)", "state relaxed (ok)"]
    gap = next(a for a in raw.annotations if a["description"] == "BAD_gap lost")
    assert gap["duration"] == pytest.approx(LOST_S)


def test_csv_has_a_row_a_sample_and_empty_cells_where_nothing_came(session: Path) -> None:
    written = export_session(session, session.with_suffix(".csv"))
    with written.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8 * 256
    assert float(rows[100]["AF7_uv"]) == _samples(8 * 256)[1, 100]
    assert rows[4 * 256]["AF7_uv"] == ""
    assert any("music mood_change" in row["notes"] for row in rows)


def test_what_is_there_is_not_replaced_unasked(session: Path) -> None:
    to = session.with_suffix(".csv")
    to.write_text("mine")
    with pytest.raises(ExportError, match="is there already"):
        export_session(session, to)
    assert to.read_text() == "mine"
    assert export_session(session, to, overwrite=True) == to
    assert not list(session.parent.glob(".*part*"))


@pytest.mark.parametrize("name", ["a.wav", "a", "a.edf.gz"])
def test_other_formats_are_refused_by_name(session: Path, name: str) -> None:
    with pytest.raises(ExportError, match=r"must end with one of \.edf, \.bdf, \.csv"):
        export_session(session, session.parent / name)


def test_a_folder_that_is_not_there_is_one_clear_error(session: Path) -> None:
    with pytest.raises((ExportError, UnknownSourceError), match="cannot be written"):
        export_session(session, session.parent / "none" / "a.csv")
