"""Faults F35 to F37: the recording survives kill -9, torn writes and full disks."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from acquisition.recording.recording_file import RecordingNews
from acquisition.recording.recovery import recover, recover_all, spans
from acquisition.recording.session_file import read_session
from acquisition.recording.session_recorder import SessionRecorder
from acquisition.recording.xdf_format import MAGIC, walk
from acquisition.signal import EegChunk, FloatArray, HeadsetStatus
from support.recordings.session_making import BEGAN, INFO, RATE_HZ, SETTINGS, chunk_at, make_session
from support.waiting import PATIENCE_S, wait_until

TESTS = Path(__file__).parents[2]
SCRIPTS = TESTS / "support" / "recordings"
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{TESTS.parent}:{TESTS}"}
KILLS, AT_ONCE = 50, 5


def _samples(path: Path) -> FloatArray:
    rows = [item.samples_uv for item in read_session(path) if isinstance(item, EegChunk)]
    return np.concatenate(rows, axis=1) if rows else np.zeros((4, 0))


def _truth(n: int) -> FloatArray:
    return np.concatenate([chunk_at(i).samples_uv for i in range(max(1, -(-n // 16)))], axis=1)[:, :n]


@pytest.mark.slow
def test_f35_fifty_kills_lose_a_second_at_most(tmp_path: Path) -> None:
    script = SCRIPTS / "record_until_killed.py"
    runs = [
        subprocess.Popen(
            [sys.executable, script, str(KILLS // AT_ONCE), str(seed), tmp_path],
            stdout=subprocess.PIPE,
            env=ENVIRONMENT,
            text=True,
        )
        for seed in range(AT_ONCE)
    ]
    lines = [line for run in runs for line in run.communicate(timeout=100)[0].splitlines()]
    assert len(lines) == KILLS
    for line in lines:
        folder, handed = json.loads(line)
        done = recover_all(Path(folder))
        if not done:
            # killed before the file was there
            assert handed == 0
            continue
        (recovered,) = done
        if recovered.path is None:
            assert handed <= RATE_HZ
            continue
        found = _samples(recovered.path)
        assert handed - found.shape[1] <= RATE_HZ, f"{handed} handed over, {found.shape[1]} recovered"
        assert np.array_equal(found, _truth(found.shape[1]))
        if found.shape[1]:
            largest = recovered.path
    streams, _ = pyxdf.load_xdf(largest)
    assert {"EEG", "EmotionState"} <= {stream["info"]["name"][0] for stream in streams}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[int]]:
    """A short recording of several batches and where its chunks begin."""
    from support.recordings.session_making import session_items

    path = tmp_path_factory.mktemp("small") / "a.xdf"
    recorder = SessionRecorder(path, BEGAN, SETTINGS, on_news=lambda _: None)
    part = path.with_name("a.xdf.part")
    for i, item in enumerate(session_items(24)):
        before = part.stat().st_size
        recorder.text(item.stream, item.text, item.at_s) if hasattr(item, "text") else recorder.on_item(item)
        if i % 6 == 5:
            wait_until(lambda n=before: part.stat().st_size > n, "a batch is on the disk")  # type: ignore[misc]
    recorder.close()
    data = path.read_bytes()
    return data, [chunk.begin for chunk in walk(memoryview(data), len(MAGIC))]


def _batches(data: bytes) -> list[int]:
    return [span.end for span in spans(memoryview(data)) if span.whole]


def test_f36_a_cut_at_any_chunk_keeps_every_batch_before_it(
    small: tuple[bytes, list[int]], tmp_path: Path
) -> None:
    data, begins = small
    ends = _batches(data)
    assert len(ends) >= 4
    for begin in begins:
        for cut in range(max(0, begin - 3), min(len(data), begin + 4)):
            assert _batches(data[:cut]) == [end for end in ends if end <= cut]
    for cut in (begins[len(begins) // 2] + 2, begins[-1] - 1, ends[1] + 7):
        part = tmp_path / f"{cut}.xdf.part"
        part.write_bytes(data[:cut])
        done = recover(part)
        assert done.path is not None
        assert done.lost_bytes == cut - max(end for end in ends if end <= cut)
        found = _samples(done.path)
        assert np.array_equal(found, _truth(found.shape[1]))
        streams, _ = pyxdf.load_xdf(done.path)
        assert all("footer" in stream for stream in streams)


def test_f36_a_flipped_bit_costs_its_batch_and_no_other(
    small: tuple[bytes, list[int]], tmp_path: Path
) -> None:
    data, begins = small
    ends = _batches(data)
    starts = [len(MAGIC), *ends[:-1]]
    for begin in begins:
        for at in range(max(len(MAGIC), begin - 3), min(len(data), begin + 4)):
            flipped = bytearray(data)
            flipped[at] ^= 1 << (at % 8)
            hit = next(i for i, end in enumerate(ends) if at < end)
            whole = [(span.begin, span.end) for span in spans(memoryview(flipped)) if span.whole]
            wanted = [(s, e) for i, (s, e) in enumerate(zip(starts, ends, strict=True)) if i != hit]
            assert whole == wanted, f"byte {at}"
    middle = starts[2] + 100
    flipped = bytearray(data)
    flipped[middle] ^= 0x10
    part = tmp_path / "a.xdf.part"
    part.write_bytes(flipped)
    done = recover(part)
    assert done.path is not None
    assert done.lost_bytes == ends[2] - starts[2]
    found, truth = _samples(done.path), _samples_of(data, tmp_path)
    kept = np.isin(truth[0], found[0])
    assert np.array_equal(truth[:, kept], found)
    assert 0 < (~kept).sum() < len(kept)
    assert not part.exists()


def _samples_of(data: bytes, folder: Path) -> FloatArray:
    path = folder / "whole.xdf"
    path.write_bytes(data)
    return _samples(path)


def test_f36_a_damaged_beginning_is_kept_and_said(small: tuple[bytes, list[int]], tmp_path: Path) -> None:
    part = tmp_path / "a.xdf.part"
    flipped = bytearray(small[0][: small[1][3]])
    flipped[40] ^= 1
    part.write_bytes(flipped)
    done = recover(part)
    assert done.path is None
    assert "damaged" in done.why
    assert [path.name for path in tmp_path.iterdir()] == ["a.xdf.broken"]


def _small_disk(how: str, folder: Path, *more: str) -> dict[str, object]:
    command = [sys.executable, str(SCRIPTS / "record_on_a_small_disk.py"), how, str(folder), *more]
    if how == "disk":
        mount = f'mount -t tmpfs -o size=1m none {folder} && exec "$@"'
        command = ["unshare", "-Urm", "sh", "-c", mount, "sh", *command]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=110, check=False)
    if how == "disk" and "unshare" in done.stderr:
        pytest.skip(f"no user namespaces here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("how", ["limit", "disk"])
def test_f37_a_full_disk_pauses_the_recording_and_nothing_else(how: str, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    copy = tmp_path / "copy.xdf"
    result = _small_disk(how, folder, str(copy))
    said = result["said"]
    assert isinstance(said, list)
    assert said[:2] == ["paused", "resumed"]
    assert result["paused"] is True
    path = copy if how == "disk" else folder / "a.xdf"
    found = _samples(path)
    assert found.shape[1] == result["handed"], "what waited was written when there was room"
    assert np.array_equal(found, _truth(found.shape[1]))


def test_recovery_says_what_it_did(tmp_path: Path) -> None:
    part = tmp_path / "a.xdf.part"
    shutil.copy(make_session(tmp_path / "b.xdf"), part)
    with part.open("ab") as file:
        file.write(b"torn")
    (done,) = recover_all(tmp_path)
    assert done.path == tmp_path / "a.xdf"
    assert done.lost_bytes == 4
    assert "recovered" in done.why
    assert (tmp_path / "a.xdf").read_bytes() == (tmp_path / "b.xdf").read_bytes()


def test_f37_a_disk_that_errs_pauses_and_one_that_stays_so_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[RecordingNews] = []
    errs = threading.Event()
    write = os.write

    def erring(fd: int, data: bytes) -> int:
        if errs.is_set():
            raise OSError(errno.EIO, "Input/output error")
        return write(fd, data)

    monkeypatch.setattr("acquisition.recording.recording_file.os.write", erring)
    monkeypatch.setattr("acquisition.recording.recording_file.MAX_WAITING_BYTES", 60_000)
    monkeypatch.setattr("acquisition.recording.recording_file.RETRY_S", 0.1)
    recorder = SessionRecorder(tmp_path / "a.xdf", BEGAN, SETTINGS, on_news=said.append)
    recorder.on_item(HeadsetStatus("streaming", INFO))
    number = 0

    def until(true: Callable[[], bool], fast: bool) -> None:
        """So seldom that a writer who is late finds no full line, or so often that the line fills."""
        nonlocal number
        end = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < end, said
            recorder.on_item(chunk_at(number))
            number += 1
            time.sleep(0.002 if fast else 0.1)

    until(lambda: number > 5, False)
    errs.set()
    until(lambda: len(said) == 1, False)
    assert (said[0].happened, said[0].reason) == ("paused", "Input/output error")
    assert recorder.active
    assert not recorder.recording
    errs.clear()
    until(lambda: len(said) == 2, False)
    assert said[1].happened == "resumed"
    errs.set()
    until(lambda: said[-1].happened == "stopped", True)
    # a writer that is slow to notice may find the line full at its first failed write
    assert all(news.happened == "paused" for news in said[2:-1])
    assert len(said) in (3, 4)
    assert said[-1].reason == "Input/output error"
    recorder.on_item(chunk_at(number))
    assert not recorder.active
    errs.clear()
    assert recorder.close() is None
    (done,) = recover_all(tmp_path)
    assert done.path is not None
    found = _samples(done.path)
    assert found.shape[1] > 80
    assert np.array_equal(found, _truth(found.shape[1]))
