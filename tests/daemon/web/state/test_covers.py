"""Covers that the page shows: looked for once, unless the machine was too busy to look."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from daemon.web.state import artwork
from daemon.web.state.artwork import Artwork
from daemon.web.state.track_library import MapTrack, TrackLibrary
from support.sounds.cover_making import id3_with, mp3, picture


class Shelf:
    """One track; says how often it was asked for."""

    def __init__(self, path: Path) -> None:
        self._track = MapTrack("t", "T", "", None, 0.0, True, str(path))
        self.asked = 0

    def find(self, _track_id: str) -> MapTrack:
        self.asked += 1
        return self._track


async def test_a_cover_that_came_too_late_is_looked_for_again_and_then_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mp3(tmp_path / "covered.mp3", id3_with(picture()))
    shelf = Shelf(tmp_path / "covered.mp3")
    covers = Artwork(cast(TrackLibrary, shelf), [tmp_path])
    monkeypatch.setattr(artwork, "PATIENCE_S", 0.0)
    assert await covers.picture("t") is None
    monkeypatch.undo()
    for _ in range(2):
        found = await covers.picture("t")
        assert found is not None
        assert found.startswith(b"\xff\xd8")
    assert shelf.asked == 2
