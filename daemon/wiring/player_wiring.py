"""The player: a library, decoders, a mixer and outputs, and the link to MQTT."""

from __future__ import annotations

import asyncio
from pathlib import Path

from daemon.errors import BadInputError
from daemon.home_link import HomeLink
from daemon.places import decisions_log
from daemon.reloading import PlayerReload
from daemon.roles.lifetime import log_to_stderr, until_stopped
from daemon.roles.player import PlayerRole
from daemon.settings import Settings
from daemon.topics import Topics
from player.deck import DeckError
from player.music import Decision
from player.opening import open_playback
from player.output_spec import split_outputs
from player.playback import Playback


def run_player(settings: Settings) -> int:
    """Play until told to stop. Raises ``BadInputError`` for music or an output that cannot be."""
    log_to_stderr("player", settings.log)
    asyncio.run(_serve(settings))
    return 0


def _open(settings: Settings, on_decision: list[PlayerRole]) -> Playback:
    def say(decision: Decision) -> None:
        for role in on_decision:
            role.on_decision(decision)

    state_dir = Path(settings.state_dir)
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return open_playback(
            music=settings.music,
            outputs=split_outputs(settings.output),
            cache_dir=Path(settings.cache_dir),
            state_dir=state_dir,
            policy=settings.policy,
            target=settings.target,
            crossfade_s=settings.crossfade_s,
            volume=settings.volume,
            seed=settings.seed,
            on_decision=say,
            decisions_log=decisions_log(settings.state_dir, settings.record) if settings.record else None,
        )
    except (ValueError, DeckError) as error:  # LibraryError, OutputError and the like: one line each
        raise BadInputError(str(error)) from None


async def _serve(settings: Settings) -> None:
    topics = Topics(settings.node)
    roles: list[PlayerRole] = []
    music = await asyncio.to_thread(_open, settings, roles)
    role = PlayerRole(topics, music, simulated=settings.source.partition(":")[0] == "simulated")
    roles.append(role)
    link = HomeLink(settings, "player", hear=role.hear, subscriptions=role.subscriptions)
    # the music first, and last: nothing of MQTT may keep it waiting
    await asyncio.to_thread(music.start)
    try:
        async with link:
            reload = PlayerReload(settings, music)
            await until_stopped(role.run(link), settings.duration_s, hang_up=reload)
    finally:
        await asyncio.to_thread(music.close)
