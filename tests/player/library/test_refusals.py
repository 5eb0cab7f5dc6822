"""Whose fault a refusal is, what is remembered of it, and when the file is tried again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from player.library import track_opening
from player.library.library import CACHE_NAME, Library
from player.library.scan_process import ScanEvent, ScanProcess
from player.library.scanner import Scanner
from player.library.sounds import header_reading, measuring
from player.library.store import refusals
from player.library.store.refusals import BACK_OFF_S, Attempt, Refusal, Versions, is_due
from player.library.store.rows import FileRow
from player.library.store.track_cache import TrackCache
from player.reading.sound_reader import UnreadableAudioError
from support.sounds.broken_sounds import of_unknown_codec, sound
from support.sounds.sound_making import write_tone
from support.waiting import SCAN_PATIENCE_S, wait_until

pytestmark = pytest.mark.timeout(300)
HERE = Versions("1", "a decoder")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for name in ("a.wav", "b.wav"):
        write_tone(folder / name, seconds=2, hertz=220, level_dbfs=-20)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[TrackCache]:
    found = TrackCache(tmp_path / "cache" / CACHE_NAME)
    yield found
    found.close()


def scan(cache: TrackCache, music: Path, begun_s: float | None = None) -> dict[str, FileRow]:
    """One pass, as one life of the scanning process does it; what is known then, by name."""
    root = os.path.realpath(music)
    scanner = Scanner(cache, [root], lambda _path: None, begun_s=begun_s)
    scanner.sync()
    while scanner.read_headers():
        pass
    while scanner.measure_next():
        pass
    return {os.path.relpath(row.path, root): row for row in cache.rows([root])}


# when


DUE = [
    ("unreadable", HERE, 1, 0.0, False),
    ("codec_missing", HERE, 1, 0.0, False),
    ("unreadable", Versions("2", "a decoder"), 1, 0.0, True),
    ("codec_missing", Versions("1", "another"), 1, 0.0, True),
    ("fault", HERE, 9, 0.0, True),
    ("crashed", HERE, 1, 0.0, True),
    ("out_of_time", HERE, 2, BACK_OFF_S[1] - 1, False),
    ("out_of_time", HERE, 2, BACK_OFF_S[1], True),
    ("disk_full", HERE, 99, BACK_OFF_S[-1], True),
    ("of another version", HERE, 1, 0.0, True),
]


@pytest.mark.parametrize(("kind", "versions", "tries", "later_s", "due"), DUE)
def test_what_is_tried_again_at_a_later_start(
    kind: str, versions: Versions, tries: int, later_s: float, due: bool
) -> None:
    attempt = Attempt(kind, versions, tries, at_s=1000.0)
    assert is_due(attempt, HERE, begun_s=1000.5 + later_s, now_s=1000.5 + later_s) is due


@pytest.mark.parametrize("kind", ["crashed", "out_of_time", "disk_full", "fault"])
def test_nothing_is_tried_twice_in_one_session(kind: str) -> None:
    assert not is_due(Attempt(kind, HERE, 1, at_s=1000.0), HERE, begun_s=999.0, now_s=9e9)


def test_a_clock_that_was_wrong_keeps_nothing_out() -> None:
    assert is_due(Attempt("crashed", HERE, 5, at_s=1000.0), HERE, begun_s=500.0, now_s=501.0)


def test_a_cache_whose_refusals_have_no_version_is_tried_again(music: Path, tmp_path: Path) -> None:
    """As every release before this one left it: the file is whole, and our own exception was its fault."""
    (tmp_path / "cache").mkdir()
    database = sqlite3.connect(tmp_path / "cache" / CACHE_NAME)
    database.executescript(
        "CREATE TABLE files (path TEXT PRIMARY KEY, root TEXT NOT NULL, size INTEGER NOT NULL, "
        "mtime_ns INTEGER NOT NULL, header BLOB, given BLOB, analyser INTEGER, analysis BLOB, reason TEXT, "
        "changed INTEGER NOT NULL) WITHOUT ROWID; CREATE INDEX files_by_root ON files (root); "
        "CREATE INDEX files_by_change ON files (changed); CREATE TABLE counter (value INTEGER NOT NULL); "
        "INSERT INTO counter VALUES (1); PRAGMA user_version = 1;"
    )
    root = os.path.realpath(music)
    for path in sorted(Path(root).iterdir()):
        database.execute(
            "INSERT INTO files (path, root, size, mtime_ns, reason, changed) VALUES (?, ?, ?, ?, ?, 1)",
            (
                str(path),
                root,
                path.stat().st_size,
                path.stat().st_mtime_ns,
                "the decoder crashed or hung on it",
            ),
        )
    database.commit()
    database.close()
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        assert len(library.tracks) == 2
        assert library.refused == ()
    assert not list((tmp_path / "cache").glob("*.damaged")), "it is carried over, not made anew"


def test_another_version_tries_what_could_not_be_read(
    music: Path, cache: TrackCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    (music / "b.wav").write_bytes(b"no music")
    assert scan(cache, music)["b.wav"].kind == "unreadable"
    tried: list[str] = []
    monkeypatch.setattr(header_reading, "open_sound", lambda file: tried.append(file.name) or _refuse())
    scan(cache, music)
    assert tried == []
    monkeypatch.setattr(refusals, "decoder_version", lambda: "a newer one")
    scan(cache, music)
    assert len(tried) == 1


def _refuse() -> None:
    raise UnreadableAudioError("again")


# whose fault


def test_a_codec_that_is_lacking_is_named(music: Path, cache: TrackCache) -> None:
    (music / "odd.wav").write_bytes(of_unknown_codec(sound(music.parent, "wav")))
    row = scan(cache, music)["odd.wav"]
    assert (row.kind, row.reason) == ("codec_missing", "WAV format 0x1234")
    assert "WAV format 0x1234" in refusals.sentence(row.kind, row.reason)


@pytest.mark.parametrize("where", [(header_reading, "open_sound"), (measuring, "analyse")])
def test_an_exception_of_ours_is_not_the_files_fault(
    music: Path, cache: TrackCache, monkeypatch: pytest.MonkeyPatch, where: tuple[ModuleType, str]
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(*where, lambda *_arguments, **_options: None.codec)
        row = scan(cache, music)["a.wav"]
    assert row.kind == "fault"
    assert (row.reason is None) == (where[1] == "analyse"), (
        "what can be played is played, without being measured"
    )
    assert scan(cache, music, begun_s=0.0)["a.wav"].analysis is None, "not again in the same session"
    row = scan(cache, music)["a.wav"]
    assert row.analysis is not None
    assert row.kind is None


def test_a_file_that_may_be_read_again_is_played_without_having_changed(
    music: Path, cache: TrackCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_root: object, path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    with monkeypatch.context() as closed:
        closed.setattr(track_opening, "open_under", forbidden)
        assert scan(cache, music)["a.wav"].reason == "Permission denied"
    assert scan(cache, music, begun_s=0.0)["a.wav"].reason is None


def test_a_folder_that_vanishes_while_it_is_read_loses_nothing(music: Path, cache: TrackCache) -> None:
    root = os.path.realpath(music)
    scanner = Scanner(cache, [root], lambda _path: None)
    scanner.sync()
    music.rename(music.with_name("unplugged"))
    scanner.sync()
    assert scanner.read_headers() == 0
    assert all(row.reason is None for row in cache.rows([root]))


# the scanning process: real deaths of real processes


def heard(
    script: str, seconds: float = 60.0, stalled_s: float = 300.0
) -> tuple[list[tuple[str, Refusal]], str]:
    """What a scan that runs this instead is said to have died of, and its last words."""
    refused: list[tuple[str, Refusal]] = []
    events: list[ScanEvent] = []
    process = ScanProcess(
        Path("unused"),
        [],
        on_event=events.append,
        on_refused=lambda path, why: refused.append((path, why)),
        stalled_s=stalled_s,
    )
    busy = (
        'import os, resource, signal, sys, time\nprint(\'{"kind": "busy", "path": "/x.flac"}\', flush=True)\n'
    )
    process._command = [sys.executable, "-c", busy + script]
    process.start(0.0)
    until_s = time.monotonic() + seconds
    while not refused and time.monotonic() < until_s:
        time.sleep(0.02)
    words = process.last_words
    process.stop()
    return refused, words


def test_a_decoder_that_crashes_is_told_with_its_last_words() -> None:
    refused, words = heard("import faulthandler; faulthandler.enable(); os.kill(os.getpid(), 11)")
    assert refused == [("/x.flac", Refusal("crashed", "Fatal Python error: Segmentation fault"))]
    assert "SIGSEGV at /x.flac" in words or "SIGSEGV) at /x.flac" in words


def test_a_decoder_without_an_end_is_out_of_processor_time() -> None:
    refused, _ = heard("resource.setrlimit(resource.RLIMIT_CPU, (1, -1))\nwhile True: pass")
    assert [(path, why.kind) for path, why in refused] == [("/x.flac", "out_of_time")]


def test_our_own_exception_is_told_and_no_file_is_blamed_for_it_at_once() -> None:
    refused, words = heard("sys.stderr.write('x' * 100_000 + '\\n'); None.channels")
    assert "AttributeError: 'NoneType' object has no attribute 'channels'" in words
    assert [why.kind for _, why in refused] == ["fault"]
    assert len(words) < 500


def test_being_killed_is_not_the_files_fault() -> None:
    refused, words = heard("os.kill(os.getpid(), signal.SIGKILL)", seconds=0.9)
    assert refused == []
    assert "SIGKILL" in words


def test_a_scan_that_waits_for_ever_is_ended_and_one_that_is_stopped_is_not() -> None:
    refused, _ = heard("time.sleep(600)", stalled_s=1.0)
    assert [why.kind for _, why in refused] == ["out_of_time"]
    refused, _ = heard("os.kill(os.getpid(), signal.SIGSTOP)", seconds=4.0, stalled_s=1.0)
    assert refused == []


def test_a_scan_that_was_stopped_for_long_refuses_nothing(music: Path, tmp_path: Path) -> None:
    """The clock of the library is moved on by 195 s while the real scan stands still in a real file."""
    write_tone(music / "c.wav", seconds=600, hertz=220, level_dbfs=-20)
    moved_s = [0.0]
    with Library.open([music], tmp_path / "cache", clock=lambda: time.monotonic() + moved_s[0]) as library:
        wait_until(lambda: library.progress.busy.endswith("c.wav"), seconds=SCAN_PATIENCE_S)
        pid = library._scan.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        for _ in range(13):
            moved_s[0] += 15.0
            time.sleep(0.1)
        os.kill(pid, signal.SIGCONT)
        assert library.wait_idle(SCAN_PATIENCE_S)
        assert library.refused == ()
        assert library.progress.measured == 3


def test_a_block_renews_the_budget_and_a_file_has_one_of_its_own() -> None:
    script = (
        "import sys, time\n"
        "from player.children.cpu_budget import CpuBudget\n"
        "budget = CpuBudget(block_s=1.0, file_s=float(sys.argv[1]))\n"
        "budget.begin()\n"
        "until_s = time.process_time() + 3.5\n"
        "while time.process_time() < until_s: budget.renew()\n"
    )
    for file_s, status in ((1000.0, 0), (1.5, -signal.SIGXCPU)):
        done = subprocess.run([sys.executable, "-c", script, str(file_s)], check=False, timeout=120)
        assert done.returncode == status


def test_a_disk_that_is_full_blames_no_file(music: Path, tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); "
    run = "import runpy, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    cache_dir = tmp_path / "cache"
    TrackCache(cache_dir / CACHE_NAME).close()
    process = ScanProcess(
        cache_dir / CACHE_NAME,
        [os.path.realpath(music)],
        on_event=lambda _event: None,
        on_refused=lambda path, why: pytest.fail(f"{path} is blamed: {why}"),
    )
    module, *rest = process._command[2:]
    worker = (
        f"{limit}{run}sys.argv[:] = {[module, *rest]!r}; runpy.run_module({module!r}, run_name='__main__')"
    )
    process._command = [sys.executable, "-c", "import sys; " + worker]
    process.start(0.0)
    wait_until(lambda: process.last_words != "", "the scan ends")
    assert "OperationalError" in process.last_words or "OSError" in process.last_words
    process.stop()
