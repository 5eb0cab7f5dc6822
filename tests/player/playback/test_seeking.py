"""Going to another place in what sounds, and what cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from daemon.mqtt import documents
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.topics import Topics
from daemon.music.role import PlayerRole
from player.choice.chooser import PolicySettings
from player.deck import Deck
from player.decks.av_deck import PullDeck
from player.music import PlaybackState, Track
from player.opening import open_playback
from player.playback.playback import CannotSeekError
from support.peers.icy_station import IcyStation, on_air
from support.sounds.audio_files import make_file
from support.sounds.playback_rig import high_noise, make_session, open_plain, play, small_wav, write_track
from support.waiting import wait_until


@pytest.mark.parametrize(
    ("asked_s", "place_s"), [(0.0, 0.0), (40.0, 40.0), (69.9, 69.0), (1e5, 69.0)], ids=str
)
def test_the_sound_goes_on_at_the_place(tmp_path: Path, asked_s: float, place_s: float) -> None:
    sound = high_noise(70, seed=4)
    session = make_session([write_track(tmp_path, "one", sound)], policy=PolicySettings(policy="manual"))
    play(session, 10)
    session.engine.seek(asked_s)
    heard = play(session, 0.9)
    session.close()
    at = round(place_s * 48_000)
    behind = heard[24_000:36_000]
    # the seek was taken within the first blocks; which frame it was at is found by the sound itself
    lags = [np.abs(sound[at + lag : at + lag + 12_000] - behind).max() for lag in range(20_000, 24_001)]
    assert min(lags) < 1e-6
    if place_s < 60:  # where it has not ended meanwhile
        assert session.engine.state().position_s == pytest.approx(place_s + 0.9, abs=0.1)


class _Unseekable(PullDeck):
    def open(self, location: str, start_s: float = 0.0) -> None:
        super().open(location if start_s == 0 else location + ".gone", start_s)


def test_a_place_that_cannot_be_gone_to_is_told_and_the_music_goes_on(tmp_path: Path) -> None:
    track = write_track(tmp_path, "one", high_noise(70, seed=4))
    make: Callable[[str], Deck] = lambda location: _Unseekable(open_plain)  # noqa: E731
    session = make_session([track], make_deck=make)
    told: list[tuple[Track, str]] = []
    session.engine.seeking.on_failed = lambda track, why: told.append((track, why))
    play(session, 10)
    session.engine.seek(40.0)
    play(session, 2)
    assert [one for one, _ in told] == [track]
    assert told[0][1]
    assert session.engine.state().position_s == pytest.approx(12.0, abs=0.2)
    session.close()


def test_radio_refuses_and_a_file_goes_there(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    sound = make_file(tmp_path, "mp3", 8.0).read_bytes()
    with on_air(IcyStation(sound, [(0, b"One")])) as station:
        (music / "radio.m3u").write_text(f"#EXTINF:-1,My Radio\n{station.address}\n")
        playback = open_playback(music=[str(music)], outputs=["null"], cache_dir=tmp_path / "radio")
        with pytest.raises(CannotSeekError, match="nothing sounds"):
            playback.seek(1.0)
        playback.start()
        try:
            wait_until(lambda: playback.state().stream_title == "One")
            with pytest.raises(CannotSeekError, match="no end"):
                playback.seek(1.0)
        finally:
            playback.close()
    files = tmp_path / "files"
    files.mkdir()
    small_wav(files / "long.wav", 600.0)
    playback = open_playback(music=[str(files)], outputs=["null"], cache_dir=tmp_path / "files.cache")
    playback.start()
    try:
        wait_until(lambda: playback.state().track is not None)
        playback.seek(300.0)
        wait_until(lambda: playback.state().position_s > 299)
    finally:
        playback.close()


def test_what_fails_later_is_answered_as_well(tmp_path: Path) -> None:
    outlet, said = Outlet(Topics("home")), list[documents.Document]()
    outlet.publish = lambda name, document, qos=0: said.append(document)  # type: ignore[method-assign, assignment]
    track = replace(write_track(tmp_path, "one", high_noise(1, seed=4)), title="One")

    class Still:
        taste, output, library_tracks = None, "null", 1

        def state(self) -> PlaybackState:
            return PlaybackState(track, 1.0, None, False, 1.0, 8.0, None, "match", None)

    async def run() -> None:
        role = PlayerRole(outlet, Still(), simulated=False)  # type: ignore[arg-type]
        running = asyncio.create_task(role.run())
        await asyncio.sleep(0)
        role.on_failed_seek(track, "cannot seek (/home/joe/secret.mp3)")
        await asyncio.sleep(0.05)
        running.cancel()

    asyncio.run(run())
    (answer,) = [one for one in said if isinstance(one, documents.CommandError)]
    assert (answer.command, answer.error) == ("seek", "“One” stays where it is: cannot seek (secret.mp3)")
