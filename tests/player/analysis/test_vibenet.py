"""Moods by vibenet: the worker's protocol, its failures, and whose word counts in the library."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from player.analysis.track_measures import LearnedMood
from player.analysis.vibenet_process import (
    VARIABLE,
    WORKER,
    VibenetError,
    VibenetProcess,
    VibenetStartError,
    command_of,
    excerpt,
)
from player.demo.demo_music import ensure_demo_music
from player.library.library import CACHE_NAME, Library
from player.library.scanner import Scanner
from player.library.store.track_cache import TrackCache
from player.library.track_building import learned_moods
from player.music import Track
from support.peers.vibenet_standin import standin_python
from support.sounds.sound_making import noise, write_tone, write_wav
from support.waiting import SCAN_PATIENCE_S, wait_until

Ask = Callable[[str], VibenetProcess]
TONE = (0.5 * np.sin(np.arange(48_000) / 10)).astype(np.float32)
REAL = os.environ.get("NEUROPLAYER_TEST_VIBENET_PYTHON", "")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def warned() -> list[str]:
    return []


@pytest.fixture
def vibenet(tmp_path: Path, warned: list[str]) -> Iterator[Ask]:
    made: list[VibenetProcess] = []

    def make(behaviour: str) -> VibenetProcess:
        patience_s = 1.0 if behaviour == "hang" else SCAN_PATIENCE_S
        command = [str(standin_python(tmp_path, behaviour)), "-I", str(WORKER)]
        made.append(VibenetProcess(command, warned.append, answer_s=patience_s))
        return made[-1]

    yield make
    for one in made:
        one.close()


def by_title(library: Library) -> dict[str, Track]:
    return {track.title: track for track in library.tracks}


def test_answers_come_one_after_another_from_one_process(vibenet: Ask, warned: list[str]) -> None:
    process = vibenet("well")
    assert process.ask(TONE) == LearnedMood(pytest.approx(0.5, abs=0.001), pytest.approx(0.3))
    assert process.ask(TONE[:16_000] / 2) == LearnedMood(pytest.approx(0.25, abs=0.001), pytest.approx(0.1))
    assert process.usable
    assert not warned


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ("crash", "ended without an answer"),
        ("garbage", "answered what is no answer"),
        ("nan", "answered what is no answer"),
        ("beyond", "must be within 0..1, got 7.0 and 0.5"),
        ("raise", "ValueError: cannot hear this"),
    ],
)
def test_three_failures_in_a_row_end_it_with_one_warning(
    vibenet: Ask, warned: list[str], behaviour: str, why: str
) -> None:
    process = vibenet(behaviour)
    for usable in (True, True, False):
        with pytest.raises(VibenetError, match=why):
            process.ask(TONE)
        assert process.usable is usable
    assert len(warned) == 1
    assert why in warned[0]


def test_a_worker_that_hangs_is_ended(vibenet: Ask) -> None:
    # so little fits into the pipe: a worker that is late to read it does not count as one that does not read
    with pytest.raises(VibenetError, match="no answer in time"):
        vibenet("hang").ask(TONE[:1000])


def test_a_worker_that_does_not_start_is_told_from_a_bad_track(vibenet: Ask, warned: list[str]) -> None:
    process = vibenet("no start")
    with pytest.raises(VibenetStartError):
        process.ask(TONE)
    assert not process.usable
    assert len(warned) == 1
    assert "ImportError: a library is missing" in warned[0]
    missing = VibenetProcess(["/nowhere/python"], warned.append)
    with pytest.raises(VibenetStartError, match="No such file"):
        missing.ask(TONE)
    assert "/nowhere/python" in warned[1]


def test_it_is_asked_only_where_an_interpreter_is_named() -> None:
    assert command_of({}) is None
    assert command_of({VARIABLE: ""}) is None
    assert command_of({VARIABLE: "/opt/v/bin/python"}) == ["/opt/v/bin/python", "-I", str(WORKER)]


def test_the_excerpt_is_the_middle_two_minutes(tmp_path: Path) -> None:
    # quiet, loud for exactly the middle two minutes, quiet
    rate_hz = 8_000
    samples = np.repeat([0.0, 0.25, 0.0], [20 * rate_hz, 120 * rate_hz, 20 * rate_hz])
    samples *= np.sin(np.arange(len(samples)) / 5)
    with write_wav(tmp_path / "long.wav", samples, rate_hz, channels=1).open("rb") as file:
        heard = excerpt(file)
    assert heard.dtype == np.float32
    assert len(heard) == 120 * 16_000
    loud = np.sqrt(np.mean(heard.reshape(120, -1) ** 2, axis=1))
    assert loud == pytest.approx(0.25 / np.sqrt(2), rel=0.02)
    with (
        write_wav(tmp_path / "short.wav", samples[: rate_hz // 2], rate_hz).open("rb") as file,
        pytest.raises(VibenetError, match="shorter than a second"),
    ):
        excerpt(file)


def test_ranks_keep_the_order_and_stay_humble_about_few_tracks() -> None:
    heard = [LearnedMood(energy, 1 - energy) for energy in (0.2, 0.5, 0.8)]
    moods = learned_moods(heard)
    assert [mood.arousal for mood in moods] == sorted(mood.arousal for mood in moods)
    assert [mood.valence for mood in moods] == sorted((mood.valence for mood in moods), reverse=True)
    alone = learned_moods(heard[1:2])[0]
    assert abs(alone.arousal) < 0.2
    assert learned_moods([]) == []


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    (folder / "Calm").mkdir(parents=True)
    write_tone(folder / "loud.wav", seconds=2, hertz=220, level_dbfs=-6)
    write_tone(folder / "quiet.wav", seconds=4, hertz=220, level_dbfs=-30)
    write_tone(folder / "Calm" / "ruled.wav", seconds=2, hertz=330, level_dbfs=-6)
    return folder


def test_in_the_library_people_come_first_and_analysis_last(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(standin_python(tmp_path, "well")))
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        tracks = by_title(library)
        assert {title: track.mood_source for title, track in tracks.items()} == {
            "loud": "vibenet",
            "quiet": "vibenet",
            "ruled": "folder",
        }
        assert tracks["loud"].mood.arousal > tracks["quiet"].mood.arousal
        assert (tracks["loud"].mood.valence or 0) < (tracks["quiet"].mood.valence or 0)
        assert 0.5 < tracks["loud"].mood_confidence < 0.6
        before = tracks["quiet"].mood
        # a file that changes is heard anew, one that goes is forgotten
        write_tone(music / "quiet.wav", seconds=3, hertz=220, level_dbfs=-3)
        (music / "loud.wav").unlink()

        def heard_anew() -> bool:
            now = by_title(library)
            quiet = now.get("quiet")
            anew = quiet is not None and quiet.mood_source == "vibenet" and quiet.mood != before
            return anew and "loud" not in now

        wait_until(heard_anew, seconds=SCAN_PATIENCE_S)
    # what was heard stays known where vibenet is not asked
    monkeypatch.setenv(VARIABLE, "")
    with Library.open([music], tmp_path / "cache", warm_delay_s=3600.0) as again:
        assert by_title(again)["quiet"].mood_source == "vibenet"


def test_a_failing_vibenet_leaves_the_analysis_and_one_warning(
    music: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(VARIABLE, str(standin_python(tmp_path, "crash")))
    with caplog.at_level(logging.WARNING), Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        sources = {track.mood_source for track in library.tracks}
    assert sources == {"analysis", "folder"}
    warnings = [
        record.message for record in caplog.records if record.name.startswith("player.library.library")
    ]
    assert len(warnings) == 1
    assert "vibenet is asked no more" in warnings[0]


@pytest.mark.parametrize(("behaviour", "left"), [("crash", 0), ("no start", 3)])
def test_a_track_it_failed_on_is_tried_once_and_a_failed_start_is_no_tracks_fault(
    music: Path, tmp_path: Path, vibenet: Ask, behaviour: str, left: int
) -> None:
    cache = TrackCache(tmp_path / "cache" / CACHE_NAME)
    roots = [str(music.resolve())]
    scanner = Scanner(cache, roots, lambda _path: None, vibenet(behaviour))
    scanner.sync()
    scanner.read_headers()
    while scanner.measure_next():
        assert scanner.learn_next() or left
    assert scanner.learn_next() is None
    assert len(cache.without_learned(roots)) == left
    cache.close()


@pytest.mark.skipif(not REAL, reason="NEUROPLAYER_TEST_VIBENET_PYTHON names no interpreter with vibenet")
def test_the_real_vibenet_hears_tones_noise_and_the_demo_music(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    music = ensure_demo_music(tmp_path / "demo")
    (music / "moods.csv").unlink()
    write_tone(music / "tone.wav", seconds=5, hertz=220, level_dbfs=-20)
    write_wav(music / "noise.wav", noise(5, -12))
    monkeypatch.setenv(VARIABLE, REAL)
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        tracks = library.tracks
    assert not caplog.records
    assert {track.mood_source for track in tracks} == {"vibenet"}
    assert len({track.mood.arousal for track in tracks}) > 3
