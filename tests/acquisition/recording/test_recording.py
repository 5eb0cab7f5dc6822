"""Recordings: what was recorded is what is read, by us, by pyxdf and by MNE."""

from __future__ import annotations

import fcntl
import stat
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import mne
import numpy as np
import pytest
import pyxdf

from acquisition.port import UnknownSourceError
from acquisition.recording import recording_file
from acquisition.recording.recording_file import RecordingNews, RecordingStartError
from acquisition.recording.recovery import Recovered, recover, recover_all
from acquisition.recording.session_file import Line, is_session, read_head, read_session
from acquisition.recording.session_recorder import SessionRecorder
from acquisition.recording.xdf_format import SAMPLES, XdfStream, chunk, numeric_samples, sealed
from acquisition.signal import EegChunk, Gap, HeadsetStatus
from support.recordings.session_making import (
    BEGAN,
    CHANNELS,
    INFO,
    RATE_HZ,
    SETTINGS,
    chunk_at,
    make_session,
    record,
    session_items,
)
from support.waiting import PATIENCE_S, wait_until


def _same(found: object, wanted: object) -> bool:
    if isinstance(found, EegChunk) and isinstance(wanted, EegChunk):
        marks = (found.interpolated is None) == (wanted.interpolated is None)
        if found.interpolated is not None and wanted.interpolated is not None:
            marks = bool((found.interpolated == wanted.interpolated).all())
        return (
            marks
            and found.samples_uv.tobytes() == wanted.samples_uv.tobytes()
            and found.times_s.tobytes() == wanted.times_s.tobytes()
        )
    if isinstance(found, HeadsetStatus) and isinstance(wanted, HeadsetStatus):
        return (found.state, found.reason, found.gap_s) == (wanted.state, wanted.reason, wanted.gap_s)
    return found == wanted


def test_a_session_comes_back_bit_for_bit_and_in_order(tmp_path: Path) -> None:
    path = make_session(tmp_path / "a.xdf")
    found = list(read_session(path))
    wanted = list(session_items(64))
    assert len(found) == len(wanted)
    assert all(_same(f, w) for f, w in zip(found, wanted, strict=True))
    info = next(item.info for item in found if isinstance(item, HeadsetStatus) and item.info)
    assert (info.device, info.simulated, info.rate_hz) == ("a <wearer> & friends", True, RATE_HZ)
    assert read_head(path).settings == SETTINGS


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = make_session(tmp_path / "recordings" / "a.xdf", 4)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_pyxdf_opens_it_with_every_stream(tmp_path: Path) -> None:
    streams, header = pyxdf.load_xdf(make_session(tmp_path / "a.xdf"))
    assert header["info"]["datetime"] == [BEGAN]
    named = {stream["info"]["name"][0]: stream for stream in streams}
    assert set(named) == {
        "EEG",
        "Aux",
        "SignalQuality",
        "EmotionState",
        "PlayerDecision",
        "AudioMarkers",
        "SessionEvents",
    }
    eeg = named["EEG"]
    labels = [c["label"][0] for c in eeg["info"]["desc"][0]["channels"][0]["channel"]]
    assert tuple(labels) == CHANNELS
    assert eeg["time_series"].shape == (64 * 16, 4)
    assert np.array_equal(eeg["time_series"][:, 0], np.arange(1024.0))
    assert eeg["info"]["effective_srate"] == pytest.approx(RATE_HZ)
    assert named["PlayerDecision"]["time_series"][0][0] == '{"chosen": "Ärger & <Liebe>"}'
    assert eeg["footer"]["info"]["sample_count"] == ["1024"]


def test_mne_opens_it_as_its_manual_says(tmp_path: Path) -> None:
    streams, _ = pyxdf.load_xdf(make_session(tmp_path / "a.xdf"))
    eeg = next(stream for stream in streams if stream["info"]["type"][0] == "EEG")
    info = mne.create_info(list(CHANNELS), float(eeg["info"]["nominal_srate"][0]), "eeg")
    raw = mne.io.RawArray(1e-6 * eeg["time_series"].T, info, verbose="error")
    assert raw.get_data(picks=["AF7"])[0, 5] == pytest.approx(1e-6 * np.sin(5))


def test_what_is_recorded_is_on_the_disk_before_the_end(tmp_path: Path) -> None:
    recorder = SessionRecorder(tmp_path / "a.xdf", BEGAN, SETTINGS, on_news=lambda _: None)
    record(recorder, session_items(16))
    part = tmp_path / "a.xdf.part"
    wait_until(lambda: part.stat().st_size >= 16 * 16 * 41, "it is on the disk while the recording goes on")
    copy = tmp_path / "copy.xdf.part"
    copy.write_bytes(part.read_bytes())
    recorder.close()
    recover(copy)
    samples = sum(
        i.samples_uv.shape[1] for i in read_session(tmp_path / "copy.xdf") if isinstance(i, EegChunk)
    )
    assert samples == 256


def test_a_recording_in_progress_is_left_alone(tmp_path: Path) -> None:
    recorder = SessionRecorder(tmp_path / "a.xdf", BEGAN, SETTINGS, on_news=lambda _: None)
    assert [done.path for done in recover_all(tmp_path)] == [None]
    record(recorder, session_items(4))
    assert recorder.close() == tmp_path / "a.xdf"
    assert is_session(tmp_path / "a.xdf")


def test_a_recording_that_begins_is_never_taken_for_a_broken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Recovered] = []

    def late(descriptor: int, how: int) -> None:
        found.extend(recover_all(tmp_path))  # old recordings are mended in the moment before the lock is held
        fcntl.flock(descriptor, how)

    monkeypatch.setattr(
        recording_file, "fcntl", SimpleNamespace(flock=late, LOCK_EX=fcntl.LOCK_EX, LOCK_NB=fcntl.LOCK_NB)
    )
    recorder = SessionRecorder(tmp_path / "a.xdf", BEGAN, SETTINGS, on_news=lambda _: None)
    assert not found
    assert recorder.close() == tmp_path / "a.xdf"
    assert [path.name for path in tmp_path.iterdir()] == ["a.xdf"]


def test_a_recording_that_ends_while_old_ones_are_mended_is_no_broken_one(tmp_path: Path) -> None:
    ended = threading.Event()
    seen: list[str] = []

    def mend() -> None:
        while not ended.is_set():
            seen.extend(done.why for done in recover_all(tmp_path) if done.why)

    news: list[RecordingNews] = []
    mending = threading.Thread(target=mend)
    mending.start()
    try:
        for number in range(30):
            path = tmp_path / f"{number}.xdf"
            assert SessionRecorder(path, BEGAN, SETTINGS, on_news=news.append).close() == path
    finally:
        ended.set()
        mending.join()
    assert not seen
    assert not news
    assert len(list(tmp_path.iterdir())) == 30


def test_a_file_that_is_deleted_stops_growing(tmp_path: Path) -> None:
    said: list[RecordingNews] = []
    stopped = threading.Event()

    def hear(news: RecordingNews) -> None:
        said.append(news)
        stopped.set()

    recorder = SessionRecorder(tmp_path / "a.xdf", BEGAN, SETTINGS, on_news=hear)
    record(recorder, session_items(4))
    (tmp_path / "a.xdf.part").unlink()
    record(recorder, session_items(4))
    assert stopped.wait(PATIENCE_S)
    assert not recorder.active
    assert recorder.close() is None
    assert said == [RecordingNews("deleted", "a.xdf")]
    assert not list(tmp_path.iterdir())


def test_a_folder_that_takes_nothing_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordingStartError, match=r"file/a\.xdf: the recording cannot begin"):
        SessionRecorder(tmp_path / "file" / "a.xdf", BEGAN, SETTINGS, on_news=lambda _: None)


def test_another_headset_in_one_session_gets_streams_of_its_own(tmp_path: Path) -> None:
    from dataclasses import replace

    from support.recordings.session_making import INFO

    recorder = SessionRecorder(tmp_path / "a.xdf", BEGAN, SETTINGS, on_news=lambda _: None)
    recorder.on_item(HeadsetStatus("streaming", INFO))
    recorder.on_item(chunk_at(0))
    other = replace(INFO, channels=("C3", "C4"), extras=())
    recorder.on_item(HeadsetStatus("streaming", other))
    recorder.on_item(EegChunk(np.ones((2, 16)), 200 + np.arange(16) / RATE_HZ))
    recorder.close()
    rows = [i.samples_uv.shape[0] for i in read_session(tmp_path / "a.xdf") if isinstance(i, EegChunk)]
    assert rows == [4, 2]


@pytest.mark.parametrize("content", [b"", b"XDF:", b"XDF:\x01", b"nonsense" * 100, b"XDF:" + b"\xff" * 500])
def test_what_is_no_session_is_one_clear_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.xdf"
    path.write_bytes(content)
    with pytest.raises(UnknownSourceError, match=r"a\.xdf"):
        list(read_session(path))


def test_lines_and_gaps_survive_too(tmp_path: Path) -> None:
    found = list(read_session(make_session(tmp_path / "a.xdf")))
    assert sum(isinstance(item, Gap) for item in found) == 4
    assert [item.text for item in found if isinstance(item, Line) and item.stream == "AudioMarkers"] == [
        "track begins",
        "track begins",
    ]


@pytest.mark.parametrize("lengths", [(1,), (1, 16, 16), (16, 1, 16), (1, 1, 1)])
def test_a_chunk_of_one_sample_is_read_like_any_other(lengths: tuple[int, ...], tmp_path: Path) -> None:
    recorder = SessionRecorder(tmp_path / "a.xdf", BEGAN, SETTINGS, on_news=lambda _: None)
    recorder.on_item(HeadsetStatus("streaming", replace(INFO, extras=())))
    begun = np.cumsum((0, *lengths))
    for first, n in zip(begun, lengths, strict=False):
        index = np.arange(first, first + n, dtype=np.float64)
        recorder.on_item(EegChunk(np.stack([index] * 4), index / RATE_HZ))
    path = recorder.close()
    assert path is not None
    chunks = [item for item in read_session(path) if isinstance(item, EegChunk)]
    assert [chunk.samples_uv.shape[1] for chunk in chunks] == list(lengths)
    assert np.concatenate([chunk.samples_uv[3] for chunk in chunks]).tolist() == list(range(sum(lengths)))


def test_a_session_can_be_left_in_the_middle_and_with_an_error(tmp_path: Path) -> None:
    path = make_session(tmp_path / "a.xdf")
    items = read_session(path)
    kept = [item for item, _ in zip(items, range(8), strict=False)]
    items.close()  # type: ignore[attr-defined]
    assert any(isinstance(item, EegChunk) and item.samples_uv.shape == (4, 16) for item in kept)
    stream = XdfStream(10, "EEG", "EEG", CHANNELS, "double64", RATE_HZ, "microvolts", {})
    content = bytearray(numeric_samples(stream, np.zeros(4), np.zeros((4, 4)))[4:])
    content[6] = 0  # the first sample says that it has no time
    damaged = tmp_path / "b.xdf"
    damaged.write_bytes(path.read_bytes() + sealed(chunk(SAMPLES, bytes(content))))
    with pytest.raises(UnknownSourceError, match="damaged: samples without a time"):
        list(read_session(damaged))
