"""What is said first after a command is what the command has made of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from daemon.mqtt import topics
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.topics import Topics
from daemon.music.role import PlayerRole
from player.opening import open_playback
from player.playback.playback import Playback
from support.waiting import until

NODE = Topics("den")


class Wire:
    """Keeps every state that is said."""

    def __init__(self) -> None:
        self.said: list[dict[str, object]] = []

    def retain(self, topic: str, payload: bytes, expiry_s: int | None = None) -> None:
        if topic == NODE.full(topics.PLAYER_STATE):
            self.said.append(json.loads(payload))

    def send(self, topic: str, payload: bytes, *, qos: int = 0) -> None: ...


async def test_the_first_state_after_each_command_is_the_new_one(tmp_path: Path) -> None:
    playback = open_playback(outputs=["null"], cache_dir=tmp_path)
    wire = Wire()
    role = PlayerRole(Outlet(NODE, wire), playback, simulated=False)
    playback.start()
    running = asyncio.create_task(role.run())
    try:
        await until(lambda: bool(wire.said))
        for count in range(1, 11):
            said = len(wire.said)
            wish = json.dumps({"volume": count / 20}).encode()
            role.on_message(NODE.command("volume"), wish, retained=False)
            role.on_message(
                NODE.command("policy"), b'{"policy":"%s"}' % (b"lead", b"match")[count % 2], False
            )
            await until(lambda said=said: len(wire.said) > said)  # type: ignore[misc]
            assert wire.said[said]["volume"] == count / 20
            assert wire.said[said]["policy"] == ("lead", "match")[count % 2]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.to_thread(playback.close)


class SlowMusic:
    """The real playback, whose word that it has obeyed comes when the test lets it."""

    def __init__(self, playback: Playback) -> None:
        self._playback = playback
        self.words: list[Callable[[], None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._playback, name)

    def when_obeyed(self, tell: Callable[[], None]) -> None:
        self.words.append(tell)


async def test_the_word_of_an_earlier_command_is_not_that_of_a_later_one(tmp_path: Path) -> None:
    playback = open_playback(outputs=["null"], cache_dir=tmp_path)
    music, wire = SlowMusic(playback), Wire()
    role = PlayerRole(Outlet(NODE, wire), music, simulated=False)  # type: ignore[arg-type]
    playback.start()
    running = asyncio.create_task(role.run())
    try:
        await until(lambda: bool(wire.said))
        said = len(wire.said)
        role.on_message(NODE.command("volume"), b'{"volume":0.2}', retained=False)
        role.on_message(NODE.command("volume"), b'{"volume":0.3}', retained=False)
        first, last = music.words
        first()
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert len(wire.said) == said
        await until(lambda: playback.state().volume == 0.3)
        last()
        await until(lambda: len(wire.said) > said)
        assert wire.said[said]["volume"] == 0.3
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.to_thread(playback.close)
