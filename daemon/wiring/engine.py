"""The engine: a feed of EEG, the pipeline with the network that fits the headset, and the link to MQTT."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path

from acquisition.lsl.outlet_process import LslHost
from acquisition.opening import make_source
from acquisition.port import UnknownSourceError
from acquisition.signal import FeedItem
from acquisition.source_spec import parse_source
from acquisition.stream.feed import Feed
from daemon.configuration.reloading import RestartInPlace
from daemon.engine.eeg_frames import socket_path
from daemon.engine.eeg_tap import EegTap
from daemon.engine.events import EngineEvents
from daemon.engine.network_choice import PipelineMaker
from daemon.engine.role import EngineRole
from daemon.errors import BadInputError
from daemon.health.metrics import RoleCounts, SignalLoss
from daemon.home.link import HomeLink
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.topics import Topics
from daemon.processes.lifetime import log_to_stderr, until_stopped
from daemon.recording.session_recording import SessionRecording, recording_of, recover_recordings
from daemon.settings import Settings
from daemon.wearers.keeping import keeping_of
from daemon.wearers.retention import drop_old_for_ever
from daemon.wearers.wearer import is_guest, wearer_of
from inference.load_shedding import LatestWins

MEND_S = 1.5
"""So long the end waits for a recording that is being mended; the next start takes it up again."""


def model_roots(settings: Settings) -> tuple[Path, ...]:
    """Where networks are looked for: the wearer's own first, then those that are shipped."""
    shipped = Path(str(resources.files("models"))) / "pretrained"
    return (*wearer_of(settings).networks, shipped)


def run_engine(settings: Settings) -> int:
    """Serve until told to stop. Raises ``BadInputError`` for a source that cannot be."""
    log_to_stderr("engine", settings.log)
    try:
        return asyncio.run(_serve(settings))
    except UnknownSourceError as error:
        raise BadInputError(str(error)) from None


async def _serve(settings: Settings) -> int:
    restart = RestartInPlace(settings)
    spec = parse_source(settings.source)
    outlet = Outlet(Topics(settings.node))
    outlet.replayed = spec.kind == "replay"
    feed = Feed(partial(make_source, spec, speed=settings.speed, seed=settings.seed))
    tap = EegTap(socket_path(settings.state_dir, settings.node))
    host = LslHost(settings.lsl_out) if settings.lsl_out else None
    loss, keeping = SignalLoss(), keeping_of(settings)
    mending = recover_recordings(settings)
    recording = recording_of(settings, simulated=spec.kind == "simulated", keeping=keeping)
    latest = LatestWins(feed.late_s)
    role = EngineRole(
        outlet,
        feed,
        PipelineMaker(settings, model_roots(settings), latest, keeping),
        simulated=spec.kind == "simulated",
        labels_file=wearer_of(settings).labels,
        events=_events(recording, loss.push, tap.push, *([host.push] if host else [])),
        recording=lambda: (recording.recording, recording.note),
        record=recording.handle_command,
        keeping=keeping,
        guest=is_guest(settings),
    )
    home = HomeLink(
        settings,
        "engine",
        outlet,
        on_message=role.on_message,
        subscriptions=role.subscriptions,
        counts=_counts(tap, host, loss, latest),
        forget_wearer=keeping.stop,
    )
    try:
        async with tap, home, feed:
            await _until_left(role, settings, restart)
    finally:
        await asyncio.to_thread(_finish, recording, mending, host)
    return restart.status


async def _until_left(role: EngineRole, settings: Settings, restart: RestartInPlace) -> None:
    ageing = asyncio.create_task(drop_old_for_ever(settings))
    try:
        await until_stopped(role.run(), settings.duration_s, hang_up=restart)
    finally:
        ageing.cancel()
        role.publish_end()


def _events(recording: SessionRecording, *watchers: Callable[[FeedItem], None]) -> EngineEvents:
    events = EngineEvents()
    recording.listen(events)
    for watcher in watchers:
        events.item_done.listen(watcher)
    return events


def _finish(recording: SessionRecording, mending: threading.Thread, host: LslHost | None) -> None:
    recording.close()
    mending.join(MEND_S)
    if host:
        host.close()


def _counts(tap: EegTap, host: LslHost | None, loss: SignalLoss, latest: LatestWins) -> RoleCounts:
    return RoleCounts(
        queues={"eeg_to_page": lambda: tap.dropped, "eeg_to_lsl": lambda: host.dropped if host else 0},
        lost_s=lambda: loss.lost_s,
        counters={"late_windows": ("Windows left out because newer ones waited", lambda: latest.left_out)},
        gauges={"late_seconds": ("How late the newest window was dealt with", lambda: latest.now_late_s)},
        told={"late_windows": lambda: latest.left_out},
    )
