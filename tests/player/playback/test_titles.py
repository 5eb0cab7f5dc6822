"""Outputs that show a title are told what sounds, as it begins to."""

from __future__ import annotations

from pathlib import Path

import pytest

from player.opening import open_playback
from player.outputs.output_spec import KINDS, OutputKind
from player.sink import NullSink
from support.sounds.playback_rig import tone, write_track
from support.waiting import SCAN_PATIENCE_S, wait_until


class Display(NullSink):
    def __init__(self) -> None:
        self.told: list[str] = []

    def set_title(self, title: str) -> None:
        self.told.append(title)


def test_each_track_is_told_once_as_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    for name, hertz in (("First", 440), ("Second", 660)):
        write_track(folder, name, tone(40, hertz))
    display = Display()
    monkeypatch.setitem(KINDS, "null", OutputKind("null", lambda _argument: display))  # type: ignore[arg-type]
    playback = open_playback(music=[str(folder)], outputs=["null"], cache_dir=tmp_path, crossfade_s=0.5)
    playback.start()
    try:
        wait_until(lambda: len(display.told) == 1, "what sounds is told", SCAN_PATIENCE_S)
        wait_until(lambda: len(playback.tracks) == 2, "both are known", SCAN_PATIENCE_S)
        playback.skip()
        wait_until(lambda: len(display.told) == 2, "the next, too")
        assert sorted(display.told) == ["First", "Second"]
    finally:
        playback.close()
