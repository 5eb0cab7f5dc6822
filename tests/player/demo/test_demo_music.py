from __future__ import annotations

import csv
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from player.demo.demo_music import FOLDER, SIDECAR, begin_demo_music, compose, ensure_demo_music
from player.demo.demo_pieces import PIECES
from support.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_demo_music(tmp_path_factory.mktemp("cache"))


def samples_of(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 48_000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2) / 32768


def test_eight_tracks_of_fitting_length_level_and_silence(demo: Path) -> None:
    files = sorted(demo.glob("*.wav"))
    assert len(files) == 8
    levels = []
    for path in files:
        pcm = samples_of(path)
        assert 40 <= len(pcm) / 48_000 <= 90
        assert not pcm[: 48 * 250].any(), "silence before"
        assert not pcm[-48 * 500 :].any(), "silence after"
        assert np.abs(pcm).max() < 0.96
        if path.stem in ("01-still-water", "02-slow-tide", "03-lantern", "04-window-seat"):
            assert np.abs(np.diff(pcm, axis=0)).max() < 0.2, "no click"
        loud = pcm[np.abs(pcm).max(axis=1) > 1e-3]
        levels.append(10 * np.log10(np.mean(loud**2)))
    assert max(levels) - min(levels) > 8


def test_moods_are_distinct_and_spread_over_arousal(demo: Path) -> None:
    with (demo / SIDECAR).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    arousal = sorted(float(row["arousal"]) for row in rows)
    assert len(arousal) == 8
    assert np.diff(arousal).min() >= 0.14
    assert (arousal[0], arousal[-1]) == (-0.9, 0.85)
    assert {row["path"] for row in rows} == {path.name for path in demo.glob("*.wav")}


def test_the_music_grows_busier_and_brighter_with_arousal() -> None:
    def flux(slug: str) -> float:
        piece = next(piece for piece in PIECES if piece.slug == slug)
        mono = compose(piece)[0]
        frames = mono[: len(mono) // 2048 * 2048].reshape(-1, 2048)
        spectrum = np.abs(np.fft.rfft(frames * np.hanning(2048), axis=1)) / np.abs(frames).max()
        return float(np.maximum(np.diff(spectrum, axis=0), 0).mean())

    calm, middle, lively = (flux(slug) for slug in ("01-still-water", "05-walking-pace", "08-bright-run"))
    assert calm < 0.5 * middle
    assert middle < 0.75 * lively


def test_composing_twice_gives_the_same_samples() -> None:
    assert np.array_equal(compose(PIECES[4]), compose(PIECES[4]))


def test_music_may_start_from_the_calmest_while_the_rest_is_composed(demo: Path, tmp_path: Path) -> None:
    # most is there from a time before: to compose it all again, behind everything else, would take minutes
    shutil.copytree(demo, tmp_path / FOLDER, ignore=shutil.ignore_patterns("01-*", "03-*"))
    folder, child = begin_demo_music(tmp_path)
    assert (folder / "01-still-water.wav").exists()
    assert child is not None
    assert child.wait(PATIENCE_S) == 0
    assert len(list(folder.glob("*.wav"))) == 8
    assert not list(folder.glob("*.part"))
    assert begin_demo_music(tmp_path) == (folder, None)


def test_what_is_there_is_not_composed_again(demo: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in demo.iterdir()}
    assert ensure_demo_music(demo.parent) == demo == demo.parent / FOLDER
    assert {path: path.stat().st_mtime_ns for path in demo.iterdir()} == before
