"""The desktop's controls against a real D-Bus daemon, asked by a real playerctl."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from player.music import PlaybackState, Track
from support.sounds.track_making import make_track
from support.waiting import PATIENCE_S, until

pytest.importorskip("dbus_fast", reason="needs dbus-fast (the desktop extra)")
pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None or shutil.which("playerctl") is None,
    reason="needs dbus-daemon and playerctl",
)


class Music:
    """Does at once what it is told."""

    def __init__(self, *tracks: Track) -> None:
        self._tracks = tracks
        self._state = PlaybackState(tracks[0], 30.0, None, False, 0.5, 8.0, None, "match", None)

    def skip(self) -> None:
        assert self._state.track is not None
        following = self._tracks[(self._tracks.index(self._state.track) + 1) % len(self._tracks)]
        self._state = replace(self._state, track=following, position_s=0.0)

    def pause(self, paused: bool | None) -> None:
        self._state = replace(self._state, paused=not self._state.paused if paused is None else paused)

    def seek(self, position_s: float) -> None:
        self._state = replace(self._state, position_s=position_s)

    def set_volume(self, volume: float) -> None:
        self._state = replace(self._state, volume=volume)

    def state(self) -> PlaybackState:
        return self._state


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    config = tmp_path / "bus.conf"
    config.write_text(
        '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" '
        '"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">\n'
        f"<busconfig><type>session</type><listen>unix:path={tmp_path}/bus</listen><auth>EXTERNAL</auth>"
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>'
        '<allow own="*"/></policy></busconfig>\n'
    )
    command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", process.stdout.readline().strip())
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


MUSIC = (
    replace(make_track("First"), title="Note G – \x01 ‘quoted’", artist="Ada & Charles", duration_s=200.0),
    replace(make_track("Second"), title="Second", artist="", duration_s=100.0),
)


@pytest.fixture
async def music(bus: subprocess.Popen[str]) -> AsyncIterator[Music]:
    from daemon.music.mpris import serve_mpris

    one = Music(*MUSIC)
    serving = asyncio.create_task(serve_mpris(one, again_s=0.1))
    await until_said("Playing", "status")
    try:
        yield one
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def playerctl(*words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "playerctl", "-p", "neuroplayer", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return out.decode().strip()


async def until_said(answer: str, *words: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await playerctl(*words) != answer:  # noqa: ASYNC110 - another program is asked
            await asyncio.sleep(0.1)


async def test_playerctl_reads_what_plays(music: Music) -> None:
    assert await playerctl("metadata", "title") == MUSIC[0].title
    assert await playerctl("metadata", "artist") == "Ada & Charles"
    assert await playerctl("metadata", "mpris:length") == "200000000"
    assert float(await playerctl("position")) == pytest.approx(30.0)
    assert float(await playerctl("volume")) == 0.5
    everything = await playerctl("metadata")
    assert MUSIC[0].location not in everything


async def test_its_buttons_are_obeyed(music: Music) -> None:
    await playerctl("pause")
    await until_said("Paused", "status")
    await playerctl("play-pause")
    await until_said("Playing", "status")
    await playerctl("next")
    await until_said("Second", "metadata", "title")
    await playerctl("position", "40")
    await until(lambda: music.state().position_s == pytest.approx(40.0))
    await playerctl("position", "5-")
    await until(lambda: music.state().position_s == pytest.approx(35.0))
    await playerctl("volume", "0.25")
    await until(lambda: music.state().volume == 0.25)
    await playerctl("volume", "7")
    await until(lambda: music.state().volume == 1.0)
    await playerctl("position", "900+")  # past the end is the next
    await until(lambda: music.state().track == MUSIC[0])
    await playerctl("stop")
    await until(lambda: music.state().paused)


async def test_what_changes_is_told_to_who_follows(music: Music) -> None:
    process = await asyncio.create_subprocess_exec(
        *("playerctl", "-p", "neuroplayer", "--follow", "metadata", "title"), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode().strip() == MUSIC[
            0
        ].title
        music.skip()
        assert await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) == b"Second\n"
    finally:
        process.kill()
        await process.wait()


async def test_a_second_player_of_the_same_desk_has_a_name_of_its_own(music: Music) -> None:
    from daemon.music.mpris import serve_mpris

    serving = asyncio.create_task(serve_mpris(Music(MUSIC[1]), again_s=0.1))
    try:
        async with asyncio.timeout(PATIENCE_S):
            while len((await playerctl("-l")).split()) < 2:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)
        assert await playerctl("metadata", "title") == MUSIC[0].title
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_without_a_bus_and_when_it_dies_the_music_does_not_notice(
    music: Music, bus: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from daemon.music.mpris import serve_mpris

    bus.kill()
    bus.wait()
    dead = asyncio.create_task(serve_mpris(Music(*MUSIC), again_s=0.01))
    await asyncio.sleep(0.2)
    assert not dead.done()
    dead.cancel()
    await asyncio.gather(dead, return_exceptions=True)
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    await serve_mpris(Music(*MUSIC))
