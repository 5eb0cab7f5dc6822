"""What is measured first, what is believed until then, and how a crash among several files is told apart."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from player.analysis.track_analysis import analyse
from player.library.scan_process import ScanProcess
from player.library.scanner import Scanner
from player.library.sounds.header_reading import tagged_loudness_lufs
from player.library.sounds.measuring_order import spread
from player.library.store.refusals import Refusal
from player.library.store.rows import PendingFile
from player.library.store.track_cache import TrackCache
from player.library.track_building import ranked_moods
from support.sounds.sound_making import noise, sine, write_tone, write_wav
from support.waiting import wait_until


def test_a_little_of_everything_comes_first() -> None:
    paths = [
        f"/music/{artist}/{album}/{song}.mp3" for artist in "abcd" for album in "xy" for song in range(10)
    ]
    order = [one.path for one in spread(PendingFile(path, "/music", 1, None, None) for path in paths)]
    assert sorted(order) == sorted(paths)
    assert {path.split("/")[2] for path in order[:4]} == set("abcd")
    assert len({tuple(path.split("/")[2:4]) for path in order[:8]}) == 8


@pytest.mark.parametrize(
    ("tags", "lufs"),
    [
        ({"replaygain_track_gain": "-7.20 dB"}, -10.8),
        ({"replaygain_track_gain": "-7,20 dB"}, -10.8),
        ({"replaygain_track_gain": "+3.5"}, -21.5),
        ({"r128_track_gain": "-2560"}, -13.0),
        ({"replaygain_track_gain": "loud"}, None),
        ({"replaygain_track_gain": "-90 dB"}, None),
        ({"replaygain_track_gain": "inf dB"}, None),
        ({}, None),
    ],
)
def test_loudness_tags_are_believed_within_reason(tags: dict[str, str], lufs: float | None) -> None:
    assert tagged_loudness_lufs(tags) == (None if lufs is None else pytest.approx(lufs))


def test_every_track_has_an_excerpt_before_any_is_measured_whole(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for number in range(3):
        write_tone(music / f"{number}.wav", seconds=100, hertz=220 + number, level_dbfs=-20)
    cache = TrackCache(tmp_path / "library.sqlite")
    roots = [os.path.realpath(music)]
    scanner = Scanner(cache, roots, lambda _path: None, threads=2)
    scanner.sync()
    scanner.read_headers()
    wholes: list[list[bool | None]] = []
    while scanner.measure_next():
        wholes.append([row.analysis and row.analysis.whole for row in cache.rows(roots)])
    cache.close()
    assert [False, False, False] in wholes
    assert wholes[-1] == [True, True, True]


def test_an_excerpt_says_what_the_whole_says_of_even_music(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", noise(100, -23))
    with path.open("rb") as file:
        part, whole = analyse(file, excerpt=True), None
        file.seek(0)
        whole = analyse(file)
    assert (part.whole, whole.whole) == (False, True)
    assert part.duration_s == part.cue_out_s == pytest.approx(100)
    assert part.loudness_lufs == pytest.approx(whole.loudness_lufs, abs=0.2)
    assert part.features.flux == pytest.approx(whole.features.flux, rel=0.05)


def test_how_loud_a_track_was_mastered_says_nothing_of_its_mood(tmp_path: Path) -> None:
    beat = np.tile(np.concatenate([noise(0.05, -14), np.zeros(9600)]), 40)
    calm = sine(len(beat) / 48_000, 220, -14)
    analyses = []
    for name, samples in (("beat", beat), ("calm", calm)):
        for below_db in (0, 12, 24):
            path = write_wav(tmp_path / f"{name}{below_db}.wav", samples * 10 ** (-below_db / 20))
            with path.open("rb") as file:
                analyses.append(analyse(file))
    arousal = [mood.arousal for mood in ranked_moods(analyses)]
    assert min(arousal[:3]) > max(arousal[3:])
    flux = [one.features.flux for one in analyses]
    assert flux[1:3] == pytest.approx([flux[0]] * 2, rel=0.05)


CHILD = """
import sys, threading
alone = "--alone" in sys.argv
def busy(path): print('{"kind": "busy", "path": "%s"}' % path, flush=True)
def done(path): print('{"kind": "done", "path": "%s"}' % path, flush=True)
if alone:
    busy("/a"); done("/a"); busy("/b")
else:
    busy("/a"); busy("/b"); busy("/c"); done("/c")
sys.exit(1)
"""


def test_a_crash_among_several_files_is_laid_to_the_one_that_does_it_alone(tmp_path: Path) -> None:
    crashed: list[str] = []
    told = threading.Event()

    def on_refused(path: str, _why: Refusal) -> None:
        crashed.append(path)
        told.set()

    process = ScanProcess(tmp_path / "cache", ["/music"], on_event=lambda event: None, on_refused=on_refused)
    process._command = [sys.executable, "-c", CHILD]
    process.start(0.0)
    wait_until(told.is_set, "the crash was told")
    process.stop()
    assert crashed[0] == "/b"
