"""A first start with the demo music, when pieces of it are refused: they are waited past."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from player import opening
from player.library.library import EmptyLibraryError, Library
from support.sounds.sound_making import write_tone
from support.waiting import SCAN_PATIENCE_S, wait_until

pytestmark = pytest.mark.timeout(300)


def begin_with(folder: Path, script: str) -> tuple[Path, subprocess.Popen[bytes]]:
    """In place of the composer: a first piece that nothing reads, and a process that runs this."""
    folder.mkdir(parents=True)
    (folder / "01.wav").write_bytes(b"a piece that is refused")
    return folder, subprocess.Popen([sys.executable, "-c", script, str(folder)])


def test_a_refused_first_piece_is_waited_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = write_tone(tmp_path / "whole.wav", seconds=3, hertz=220, level_dbfs=-20)
    script = f"import shutil, sys, time; time.sleep(3); shutil.copy({str(whole)!r}, sys.argv[1] + '/02.wav')"
    monkeypatch.setattr(opening, "begin_demo_music", lambda _cache: begin_with(tmp_path / "demo", script))
    playback = opening.open_playback(outputs=[f"wav:{tmp_path / 'out.wav'}"], cache_dir=tmp_path / "cache")
    try:
        assert [track.title for track in playback.tracks] == ["02"]
    finally:
        playback.close()


def test_when_every_piece_is_refused_the_filler_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "begin_demo_music", lambda _cache: begin_with(tmp_path / "demo", ""))
    playback = opening.open_playback(outputs=[f"wav:{tmp_path / 'out.wav'}"], cache_dir=tmp_path / "cache")
    playback.start()
    try:
        wait_until(lambda: playback.state().position_s > 0.5, "the filler plays", SCAN_PATIENCE_S)
    finally:
        playback.close()


def test_a_folder_of_ones_own_without_music_is_still_told(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    (folder / "01.wav").write_bytes(b"no music")
    with pytest.raises(EmptyLibraryError, match="1 refused"):
        Library.open([folder], tmp_path / "cache")


def test_what_is_still_to_come_is_waited_for_no_longer_than_it_comes(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    until_s = time.monotonic() + 2.0
    threading.Timer(1.0, lambda: write_tone(folder / "a.wav", 2, 220, -20)).start()
    with Library.open(
        [folder], tmp_path / "cache", more_to_come=lambda: time.monotonic() < until_s
    ) as library:
        assert [track.title for track in library.tracks] == ["a"]
