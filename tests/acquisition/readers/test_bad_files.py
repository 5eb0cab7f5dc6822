"""Files that are damaged, lie or are no recordings: one clear error or a marked gap, never a crash."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acquisition.port import EndOfStream, UnknownSourceError
from acquisition.readers import open_recording
from acquisition.readers.replay_source import ReplaySource
from acquisition.recording.input_file import MAX_BYTES
from acquisition.recording.recovery import recover_all
from acquisition.recording.xdf_format import (
    MAGIC,
    SAMPLES,
    STREAM_HEADER,
    XdfStream,
    chunk,
    file_header,
    numeric_samples,
    sealed,
    stream_header,
    text_samples,
)
from support.recordings.writers import (
    RATE_HZ,
    WRITERS,
    foreign_xdf,
    muse_csv,
)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_good_file_is_read_in_microvolts_with_todays_names(kind: str, tmp_path: Path) -> None:
    recording = open_recording(WRITERS[kind](tmp_path))
    assert recording.samples_uv.shape == (len(recording.info.channels), len(recording.times_s))
    assert not set(recording.info.channels) & {"T3", "T4"}
    assert recording.info.simulated == (kind == "session"), "what was made up stays called that"
    if kind != "session":
        assert np.abs(recording.samples_uv[3]).max() == pytest.approx(40.0, rel=0.02)


def test_units_are_converted_and_unknown_ones_refused(tmp_path: Path) -> None:
    found = open_recording(foreign_xdf(tmp_path, unit="millivolts"))
    assert np.abs(found.samples_uv[3]).max() == pytest.approx(40.0, rel=0.01)
    with pytest.raises(UnknownSourceError, match=r"one known unit of volts, got \['furlongs'\]"):
        open_recording(foreign_xdf(tmp_path, unit="furlongs"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda f: foreign_xdf(f, rate_hz=0.0), "sampling rate must lie inside 50..20000"),
        (lambda f: foreign_xdf(f, type_="Markers"), "exactly one stream of type EEG"),
        (lambda f: muse_csv(f, 100.0), "220 or 256 Hz"),
        (lambda f: _write(f / "a.csv", "timestamps,TP9,AF7,AF8\n1,2,3,4\n"), "'TP10' is missing"),
        (
            lambda f: _write(f / "a.csv", "timestamps,TP9,AF7,AF8,TP10\n"),
            "at least 3 whole rows of numbers below the header, got 0",
        ),
        (lambda f: _write(f / "a.txt", "%OpenBCI\n%Number of channels = 4\n0, 1, 2, 3, 4\n"), "Sample Rate"),
        (
            lambda f: _write(f / "a.txt", "%OpenBCI\n%Number of channels = 999\n%Sample Rate = 250\n0, 1\n"),
            "1..64",
        ),
        (lambda f: _write(f / "a.csv", "a,b\n1,2\n"), "not one of the known kinds"),
        (lambda f: _write(f / "a.csv", ""), "empty"),
        (lambda f: _write(f / "a.edf", "0" * 300), "not a readable EDF"),
        (lambda f: _write(f / "a.xdf", "XDF:"), r"a\.xdf"),
        (lambda f: _write(f / "a.npz", "PK"), "not a people set"),
        (lambda f: f, "must be a regular file"),
        (lambda f: f / "none.csv", "no such file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(make: Callable[[Path], Path], words: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownSourceError, match=words) as refused:
        open_recording(make(tmp_path))
    assert "\n" not in str(refused.value)


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_gigabytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.write(b"timestamps,TP9,AF7,AF8,TP10\n")
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(UnknownSourceError, match="bytes at most"):
        open_recording(path)


@pytest.mark.parametrize("kind", ["edf", "npz", "session", "xdf"])
def test_more_samples_than_fit_in_memory_are_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = WRITERS[kind](tmp_path)
    monkeypatch.setattr("acquisition.grid.recording.MAX_SAMPLES", 1000)
    with pytest.raises(UnknownSourceError, match="1000 samples at most"):
        open_recording(path)


def test_packed_files_are_counted_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "a.xdfz"
    packed.write_bytes(gzip.compress(foreign_xdf(tmp_path).read_bytes()))
    assert open_recording(packed).duration_s > 1
    monkeypatch.setattr("acquisition.readers.xdf.MAX_BYTES", 1000)
    with pytest.raises(UnknownSourceError, match="unpacks to more than 1000 bytes"):
        open_recording(packed)
    bomb = tmp_path / "a.npz"
    np.savez_compressed(bomb, __meta__=np.array(" " * 2_000_000))
    with pytest.raises(UnknownSourceError, match="__meta__ may have 1000000 bytes"):
        open_recording(bomb)


def test_text_is_refused_earlier_and_lines_without_end_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = muse_csv(tmp_path)
    monkeypatch.setattr("acquisition.readers.opening.MAX_TEXT_BYTES", 1000)
    with pytest.raises(UnknownSourceError, match="1000 bytes at most"):
        open_recording(path)
    monkeypatch.undo()
    monkeypatch.setattr("acquisition.readers.table.MAX_VALUES", 1000)
    with pytest.raises(UnknownSourceError, match="1000 numbers at most"):
        open_recording(path)
    endless = _write(tmp_path / "endless.txt", "%OpenBCI" + "x" * 100_000)
    monkeypatch.undo()
    with pytest.raises(UnknownSourceError, match="Number of channels"):
        open_recording(endless)


@pytest.mark.parametrize(
    ("told", "event"),
    [
        ({"extras": 5}, '{"kind": "note"}'),
        ({}, "[" * 100_000),
        ({}, '{"kind": "headset", "mood": 1}'),
    ],
)
def test_sessions_of_strangers_are_refused_in_one_line(
    told: dict[str, object], event: str, tmp_path: Path
) -> None:
    events = XdfStream(1, "SessionEvents", "Markers", ("event",), "string")
    eeg = XdfStream(2, "EEG", "EEG", ("Fp1",), "double64", RATE_HZ, "microvolts", told)
    rows = numeric_samples(eeg, np.arange(300) / RATE_HZ, np.zeros((1, 300)))
    chunks = (
        file_header({}, "now")
        + stream_header(events)
        + stream_header(eeg)
        + text_samples(events, [1.0], [event])
        + rows
    )
    path = tmp_path / "a.xdf"
    path.write_bytes(MAGIC + sealed(chunks))
    with pytest.raises(UnknownSourceError, match="damaged"):
        open_recording(path)


def test_a_recording_of_a_stranger_does_not_keep_the_next_from_being_mended(tmp_path: Path) -> None:
    events = XdfStream(1, "SessionEvents", "Markers", ("event",), "string")
    nothing = chunk(SAMPLES, b"\x01\x00\x00\x00\x01\x00")
    (tmp_path / "a.xdf.part").write_bytes(MAGIC + sealed(chunk(STREAM_HEADER, b"\x01\x00\x00\x00<info/>")))
    (tmp_path / "b.xdf.part").write_bytes(MAGIC + sealed(stream_header(events) + nothing))
    refused, mended = recover_all(tmp_path)
    assert "could not be recovered" in refused.why
    assert mended.path == tmp_path / "b.xdf"


def test_holes_nan_and_stamps_that_fall_back_are_marked_or_refused(tmp_path: Path) -> None:
    path = muse_csv(tmp_path)
    lines = path.read_text().splitlines()
    lines[100] = lines[100].split(",")[0] + ",nan,inf,-inf,oops,0"
    path.write_text("\n".join(lines))
    found = open_recording(path)
    assert not np.isfinite(found.samples_uv[:, 99]).any()
    assert np.isfinite(found.samples_uv[:, 101]).all()
    path.write_text("\n".join([lines[0], *lines[:0:-1]]))
    with pytest.raises(UnknownSourceError, match="time stamps must rise"):
        open_recording(path)


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_file_is_an_error_or_a_recording_never_a_crash(
    kind: str, data: st.DataObject, tmp_path: Path
) -> None:
    path = tmp_path / "good"
    if not path.exists():
        path.mkdir()
        WRITERS[kind](path)
    # BrainVision lays a recording in several files, of which the header is opened: any may be the damaged one
    files = sorted(path.iterdir(), key=lambda one: one.suffix != ".vhdr")
    good = data.draw(st.sampled_from(files)) if len(files) > 1 else files[0]
    broken = tmp_path / "damaged"
    shutil.copytree(path, broken, dirs_exist_ok=True)
    content = bytearray(good.read_bytes())
    cut = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    content = content[:cut]
    for _ in range(data.draw(st.integers(0, 6)) if content else 0):
        # most of what matters stands at the beginning
        top = data.draw(st.sampled_from([min(400, len(content)), len(content)]))
        content[data.draw(st.integers(0, top - 1))] = data.draw(st.integers(0, 255))
    (broken / good.name).write_bytes(content)
    source = ReplaySource(str(broken / files[0].name), speed=None)
    try:
        info = source.open()
    except UnknownSourceError:
        return
    chunk_ = source.poll(0.05)
    assert chunk_ is not None
    assert chunk_.samples_uv.shape[0] == len(info.channels)
    assert np.isfinite(chunk_.times_s).all()
    with pytest.raises(EndOfStream):
        _poll_for_ever(source)
    source.close()


def _poll_for_ever(source: ReplaySource) -> None:
    for _ in range(100_000):
        source.poll(0.05)
