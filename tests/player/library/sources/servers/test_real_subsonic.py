"""A library on a real supysonic server: listed, measured by excerpts, played, liked, away and back."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from player.deck import MIX_RATE_HZ
from player.library.library import Library
from player.library.sources.servers.remote_file import BLOCK_BYTES, RemoteFile
from player.library.sources.servers.source_errors import MusicServerError
from player.library.sources.servers.source_opening import open_source
from player.opening import open_playback
from player.outputs.output_spec import KINDS, OutputKind
from player.reading.sound_opening import open_sound
from player.sink import NullSink
from support.servers.real_supysonic import PASSWORD, Supysonic, supysonic_folder
from support.sounds.playback_rig import high_noise, tone
from support.waiting import SCAN_PATIENCE_S, wait_until

pytestmark = [
    pytest.mark.skipif(
        supysonic_folder() is None, reason="needs supysonic (tests/support/servers/real_supysonic.py)"
    ),
    pytest.mark.timeout(600),
]
N_TRACKS = 6
LENGTH_S = 100.0
"""Longer than what is measured whole."""


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music") / "Artist" / "Album"
    folder.mkdir(parents=True)
    for number in range(N_TRACKS):
        sound = tone(LENGTH_S, 220 * (number + 1)) + 0.1 * high_noise(LENGTH_S, number)
        with soundfile.SoundFile(folder / f"{number} Söng #{number}.flac", "w", MIX_RATE_HZ, 2) as file:
            file.title, file.artist, file.album = f"Söng #{number}", "Ada", "Engines"
            file.write(sound)
    return folder.parent.parent


@pytest.fixture
def server(tmp_path: Path, music: Path) -> Iterator[Supysonic]:
    one = Supysonic(tmp_path / "server", music)
    try:
        yield one
    finally:
        one.kill()


def test_its_tracks_are_the_library_with_their_words_and_lengths(server: Supysonic, tmp_path: Path) -> None:
    account = server.write_account(tmp_path / "home.subsonic")
    with Library.open([account], tmp_path / "cache") as library:
        wait_until(lambda: len(library.tracks) == N_TRACKS, "all are known", SCAN_PATIENCE_S)
        tracks = sorted(library.tracks, key=lambda track: track.title)
        assert [track.title for track in tracks] == [f"Söng #{number}" for number in range(N_TRACKS)]
        assert {track.artist for track in tracks} == {"Ada"}
        assert all(abs(track.duration_s - LENGTH_S) <= 1 for track in tracks)
        assert library.wait_idle(SCAN_PATIENCE_S)
        assert {track.mood_source for track in library.tracks} == {"analysis"}, "measured by an excerpt"
        assert all(track.loudness_lufs is not None for track in library.tracks)
        assert library.refused == ()
    for path in (tmp_path / "cache").iterdir():
        content = path.read_bytes()
        assert PASSWORD.encode() not in content
        assert b"t=" not in content or b"&s=" not in content


def test_every_byte_comes_from_any_place(server: Supysonic, tmp_path: Path, music: Path) -> None:
    source = open_source(server.write_account(tmp_path / "home.subsonic"))
    first = next(track for track in source.tracks() if track.title == "Söng #3")
    lies_there = next(music.rglob("3 *.flac")).read_bytes()
    for ahead in (False, True):
        with source.open(first.location, ahead=ahead) as file:
            assert file.seek(0, os.SEEK_END) == len(lies_there)
            file.seek(len(lies_there) // 2)
            assert file.read(1000) == lies_there[len(lies_there) // 2 :][:1000]
            file.seek(0)
            assert file.read() == lies_there
            assert file.read(10) == b""
    with source.open(first.location) as file, open_sound(file) as reader:
        reader.start_at(50.0)
        _, heard = (part for part, _ in zip(reader.parts(MIX_RATE_HZ), range(2), strict=False))
        spectrum = np.abs(np.fft.rfft(heard[:, 0]))
        assert np.argmax(spectrum) == 220 * 4


def is_whole(file: RemoteFile | None) -> bool:
    if file is None:
        return False
    content = file._content
    return content._size is not None and len(content._have) * BLOCK_BYTES >= content._size


class Ear(NullSink):
    """Counts the longest silence, in frames, once there was sound."""

    def __init__(self) -> None:
        self.begun = False
        self.silent = 0
        self.longest = 0

    def write(self, block: np.ndarray, wait: bool = True) -> None:
        for piece in np.array_split(np.abs(block).max(axis=1), 16):
            loud = piece.max(initial=0.0) > 1e-4
            self.begun = self.begun or loud
            self.silent = 0 if loud or not self.begun else self.silent + len(piece)
            self.longest = max(self.longest, self.silent)


def test_the_music_goes_on_while_the_server_is_away_and_it_is_back_afterwards(
    server: Supysonic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = Ear()
    monkeypatch.setitem(KINDS, "null", OutputKind("null", lambda _argument: ear))  # type: ignore[arg-type]
    account = server.write_account(tmp_path / "home.subsonic")
    playback = open_playback(
        music=[str(account)], outputs=["null"], cache_dir=tmp_path / "cache", crossfade_s=1.0, policy="manual"
    )
    playback.start()
    try:
        wait_until(lambda: playback.state().track is not None and playback.state().next_track is not None)
        wait_until(lambda: playback.state().position_s > 3.0, "it plays")
        playing, following = playback.state().track, playback.state().next_track
        assert playing is not None
        assert following is not None
        kept = playback._library._played._kept  # type: ignore[attr-defined]
        for track in (playing, following):
            wait_until(lambda track=track: is_whole(kept.get(track.location)), "it is fetched ahead")  # type: ignore[misc]
        server.kill()
        before = playback.state().track
        playback.seek(80.0)  # what was fetched ahead is there, whatever became of the server
        wait_until(lambda: playback.state().position_s > 81.0, "it plays on from there")
        assert playback.state().track == before
        server.start()
        playback.skip()
        wait_until(lambda: playback.state().track != before, "the next one plays")
        wait_until(lambda: playback.state().position_s > 2.0)
        assert ear.longest < MIX_RATE_HZ / 10
    finally:
        playback.close()


def test_a_star_of_the_server_is_a_like_and_a_like_becomes_a_star(server: Supysonic, tmp_path: Path) -> None:
    account = server.write_account(tmp_path / "home.subsonic", write_likes=True)
    source = open_source(account)
    tracks = sorted(source.tracks(), key=lambda track: track.title)
    assert not any(track.liked for track in tracks)
    source.like(tracks[0].location, True)
    playback = open_playback(music=[str(account)], outputs=["null"], cache_dir=tmp_path / "cache")
    playback.start()
    try:
        ids = {track.title: track.id for track in playback.tracks}
        wait_until(lambda: playback.taste.liked == {ids["Söng #0"]}, "its star is a like")
        playback.like(ids["Söng #1"], True)
        playback.like(ids["Söng #0"], False)
        assert playback.taste.liked == {ids["Söng #1"]}

        def starred() -> set[str]:
            return {track.title for track in source.tracks() if track.liked}

        wait_until(lambda: starred() == {"Söng #1"}, "the server knows")
    finally:
        playback.close()


def test_a_wrong_password_is_one_line_without_the_password(server: Supysonic, tmp_path: Path) -> None:
    account = server.write_account(tmp_path / "home.subsonic")
    account.write_text(account.read_text().replace(PASSWORD, "wr0ng-one"))
    source = open_source(account)
    with pytest.raises(MusicServerError, match=r"error 40|answers 401") as caught:
        list(source.tracks())
    assert "wr0ng-one" not in str(caught.value)
    assert "wr0ng-one" not in repr(source.__dict__)
    assert stat.S_IMODE(account.stat().st_mode) == 0o600


def test_a_server_that_is_away_says_so_and_is_there_when_it_is_back(
    server: Supysonic, tmp_path: Path
) -> None:
    source = open_source(server.write_account(tmp_path / "home.subsonic"))
    track = next(iter(source.tracks()))
    server.kill()
    with pytest.raises(MusicServerError, match="cannot be reached"):
        source.open(track.location)
    server.start()
    with source.open(track.location) as file:
        assert file.read(4) == b"fLaC"
