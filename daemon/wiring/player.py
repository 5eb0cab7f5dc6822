"""The player: a library, decoders, a mixer and outputs, and the link to MQTT."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from acquisition.recording.encryption import line_sealer
from acquisition.recording.recording_key import RecordingKeyError
from daemon.errors import BadInputError
from daemon.processes.heartbeat import beat
from daemon.processes.lifetime import log_to_stderr, until_stopped
from daemon.recording.keys import recording_key
from daemon.recording.recording_mark import RecordingMark
from daemon.settings import Settings
from daemon.wearers.keeping import keeping_of
from daemon.wearers.wearer import is_guest, wearer_of
from player.choice.chooser_log import ChooserLog
from player.deck import DeckError
from player.music import Decision
from player.opening import open_playback
from player.outputs.output_spec import split_outputs
from player.playback.playback import Playback

log = logging.getLogger(__name__)


def run_player(settings: Settings) -> int:
    """Play until told to stop. Raises ``BadInputError`` for music or an output that cannot be."""
    log_to_stderr("player", settings.log)
    asyncio.run(_serve(settings))
    return 0


def _open(
    settings: Settings,
    on_decision: Callable[[Decision], None],
    written: ChooserLog | None,
    given_up: Callable[[], bool],
) -> Playback:
    wearer, keeps = wearer_of(settings), keeping_of(settings).on
    try:
        return open_playback(
            music=settings.music,
            outputs=split_outputs(settings.output),
            cache_dir=Path(settings.cache_dir),
            state_dir=wearer.folder if keeps else None,
            policy=settings.policy,
            target=settings.target,
            crossfade_s=settings.crossfade_s,
            volume=settings.volume,
            cues=settings.cues,
            seed=settings.seed,
            on_decision=on_decision,
            decisions_log=written,
            given_up=given_up,
        )
    except OSError as error:
        raise BadInputError(f"{settings.cache_dir}: no music can be kept there ({error.strerror})") from None
    except (ValueError, DeckError) as error:  # LibraryError, OutputError and the like: one line each
        raise BadInputError(str(error)) from None


def _decisions_log(settings: Settings) -> ChooserLog | None:
    """Kept beside a recording, unless a person ended that or had the wearer forgotten in an earlier life."""
    earlier = RecordingMark(settings).earlier() if settings.again else None
    ended = earlier is not None and earlier.consent is None
    if not settings.record or ended or not keeping_of(settings).on:
        return None
    path = wearer_of(settings).decisions(settings.record)
    try:
        key = recording_key(settings)
        return ChooserLog(path) if key is None else ChooserLog(path, line_sealer(key, path.name))
    except RecordingKeyError as error:
        log.warning("what is chosen, and why, is not kept beside the recording: %s", error)
        return None


class _Decisions:
    """Hands decisions to whom they are told, once there is somebody."""

    def __init__(self) -> None:
        self._early: deque[Decision] = deque(maxlen=8)
        self._run_link: Callable[[Decision], None] = self._early.append

    def __call__(self, decision: Decision) -> None:
        self._run_link(decision)

    def subscribe(self, somebody: Callable[[Decision], None]) -> None:
        """From now on, and what was decided before."""
        self._run_link = somebody
        while self._early:
            somebody(self._early.popleft())


async def _serve(settings: Settings) -> None:
    """The music first, and last: nothing of MQTT, not even its import, may keep it waiting."""
    decisions = _Decisions()
    over = threading.Event()
    beating = asyncio.create_task(beat())  # a large folder takes minutes to be read for the first time
    try:
        written = _decisions_log(settings)
        music = await asyncio.to_thread(_open, settings, decisions, written, over.is_set)
    except asyncio.CancelledError:  # Ctrl-C meanwhile
        over.set()
        raise
    finally:
        beating.cancel()
    await asyncio.to_thread(music.start)
    desktop = asyncio.create_task(_desktop(music))
    try:
        await _run_link(settings, music, decisions, written)
    finally:
        desktop.cancel()
        await asyncio.to_thread(music.close)


async def _desktop(music: Playback) -> None:
    """Media keys, where the ``desktop`` extra is installed."""
    try:
        from daemon.music.mpris import serve_mpris
    except ImportError:
        return
    await serve_mpris(music)


async def _run_link(
    settings: Settings, music: Playback, decisions: _Decisions, written: ChooserLog | None
) -> None:
    from daemon.configuration.reloading import PlayerReload
    from daemon.health.metrics import RoleCounts
    from daemon.home.link import HomeLink
    from daemon.mqtt.outlet import Outlet
    from daemon.mqtt.topics import Topics
    from daemon.music.role import PlayerRole

    simulated = settings.source.partition(":")[0] == "simulated"
    outlet = Outlet(Topics(settings.node))
    role = PlayerRole(
        outlet,
        music,
        simulated=simulated,
        end_log=written.close if written else lambda: None,
        guest=is_guest(settings),
    )
    decisions.subscribe(role.on_decision)
    music.listen_for_failed_wishes(role.on_failed_wish)
    music.listen_for_failed_seeks(role.on_failed_seek)
    counts = RoleCounts(
        queues={
            "commands": lambda: music.counts.commands_dropped,
            "sound_frames": lambda: music.counts.frames_dropped,
        },
        underruns={
            "decoder": lambda: music.counts.decoder_underruns,
            "device": lambda: music.counts.device_underruns,
        },
    )
    async with HomeLink(
        settings,
        "player",
        outlet,
        on_message=role.on_message,
        subscriptions=role.subscriptions,
        counts=counts,
        forget_wearer=music.forget_wearer,
    ):
        reload = PlayerReload(settings, music)
        await until_stopped(role.run(), settings.duration_s, hang_up=reload)
