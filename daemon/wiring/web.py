"""The page: the live state fed from MQTT, the log, the EEG of this machine, and the web server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from daemon.configuration.values import check_listen
from daemon.engine.eeg_frames import socket_path
from daemon.errors import BadInputError
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.topics import Topics
from daemon.mqtt.transport.link import MqttLink
from daemon.processes.lifetime import log_to_stderr, until_stopped
from daemon.processes.systemd_notify import OWN_VARIABLES
from daemon.settings import Settings, WebSettings
from daemon.wearers.keeping import keeping_of
from daemon.wearers.wearer import wearer_of
from daemon.web.hub import Hub
from daemon.web.page_opening import open_page
from daemon.web.security.access import is_loopback, own_token, page_address
from daemon.web.state.artwork import Artwork
from daemon.web.state.calibration import CalibrationState
from daemon.web.state.eeg_feed import EegFeed
from daemon.web.state.live_state import LiveState
from daemon.web.state.recordings import Recordings
from daemon.web.state.session_log import SessionLog
from daemon.web.state.track_library import TrackLibrary, read_from_cache
from daemon.web.texts import texts
from player.choice.taste import TasteFile
from player.library.music_folder import folder_of

LINK_LOOK_S = 0.5


def run_web(settings: Settings) -> int:
    """Serve the page until told to stop. Raises ``BadInputError`` for an address that cannot be used."""
    log_to_stderr("web", settings.log)
    web = settings.web or WebSettings()
    check_listen(web.host, web.port, "web address")
    token, token_file = _token(settings, web)
    if token is not None and not settings.headline:
        address = page_address(web.host, web.port, Path(settings.state_dir))
        click.echo(f"web: open to the network, so it asks for a token: {address}", err=True)
    asyncio.run(_serve(settings, web, token, token_file))
    return 0


def _token(settings: Settings, web: WebSettings) -> tuple[str | None, Path]:
    state_dir = Path(settings.state_dir)
    file = state_dir / "web-token"
    if is_loopback(web.host):
        return None, file
    try:
        return own_token(state_dir), file
    except OSError as error:
        raise BadInputError(f"the page's token {str(file)!r:.200} cannot be kept: {error.strerror}") from None


def music_folders(settings: Settings) -> list[Path]:
    """The music folders of the session; without any, where the demo music lies."""
    from player.demo.demo_music import FOLDER

    if settings.music:
        return [Path(folder) for folder in settings.music]
    return [Path(settings.cache_dir) / FOLDER]


def make_hub(settings: Settings) -> Hub:
    """Everything the viewers share, with a silent link."""
    topics, clock = Topics(settings.node), time.monotonic
    folders = music_folders(settings)
    library = TrackLibrary(partial(read_from_cache, folders, Path(settings.cache_dir)), clock)
    log = SessionLog(wearer_of(settings).history, settings.node, lambda: datetime.now(UTC))
    if not keeping_of(settings).on:
        log.forget_wearer()
    state = LiveState(clock)
    state.listeners.append(log.on_document)
    state.followers.append(log.on_availability)
    return Hub(
        topics=topics,
        state=state,
        texts=texts(),
        log=log,
        eeg=EegFeed(socket_path(settings.state_dir, settings.node), clock),
        library=library,
        artwork=Artwork(library, [Path(folder_of(str(folder))) for folder in folders]),
        recordings=Recordings(wearer_of(settings).recordings, lambda: datetime.now(UTC)),
        calibrate=partial(_calibration, settings),
        wearer=wearer_of(settings).name,
        taste=TasteFile(wearer_of(settings).folder).read,
    )


def _calibration(settings: Settings, hub: Hub) -> CalibrationState:
    """Run from here: this role lies beside the engine's socket, as the page's live EEG asks for too."""
    calibrate = [sys.executable, "-m", "daemon.cli", "calibrate"]
    whose = ["--node", settings.node, *(["--wearer", settings.wearer] if settings.wearer else [])]
    session = ["--page", "--source", "session", *whose]
    own = {"NEUROPLAYER_STATE_DIR": settings.state_dir, "NEUROPLAYER_CACHE_DIR": settings.cache_dir}
    kept = {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
    return CalibrationState(
        [*calibrate, *session], [*calibrate, "--undo", *whose], kept | own, hub.state, hub.send
    )


async def _serve(settings: Settings, web: WebSettings, token: str | None, token_file: Path) -> None:
    _switch_telemetry_off(settings)
    # imported here: NiceGUI takes a second, and a bad address should be told before
    from daemon.health.endpoint import Health, serve_health
    from daemon.health.metrics import RoleCounts
    from daemon.web.server import build, open_pages, serve

    hub = make_hub(settings)
    link = MqttLink(
        settings.broker,
        f"neuroplayer-{settings.node}-web-{os.getpid()}",
        on_message=hub.on_message,
        subscriptions=hub.subscriptions,
        meanwhile="the page shows what it heard last",
    )
    application = build(hub, token, token_file)
    counts = RoleCounts(
        gauges={"web_pages": ("Pages that are open", open_pages)},
        counters={"web_malformed": ("Documents that could not be read", lambda: hub.state.malformed)},
    )
    health = Health("web", link, counts)
    async with serve_health(health, settings.health_port), link:
        hub.outlet = Outlet(hub.topics, link)
        tasks = [asyncio.create_task(hub.eeg.run()), asyncio.create_task(_watch_link(hub, link))]
        if settings.open_page:
            tasks.append(
                asyncio.create_task(open_page(web, Path(settings.state_dir), partial(click.echo, err=True)))
            )
        try:
            await until_stopped(serve(application, web.host, web.port), settings.duration_s)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await hub.calibration.cancel()
            with contextlib.suppress(OSError):
                hub.log.close()


def _switch_telemetry_off(settings: Settings) -> None:
    """FastAPI reports its requests to wherever ``OTEL_`` variables point, and NiceGUI stores where it stands.

    Nothing about a listener leaves the machine, so the first is switched off; the second is not used.
    """
    # with a level given they add no handler, which would write past our log
    for name in ("engineio.server", "socketio.server"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        del os.environ[name]
    os.environ["OTEL_SDK_DISABLED"] = "true"
    os.environ["NICEGUI_STORAGE_PATH"] = str(Path(settings.state_dir) / "nicegui")


async def _watch_link(hub: Hub, link: MqttLink) -> None:
    while True:
        hub.state.link_is(link.connected.is_set())
        await asyncio.sleep(LINK_LOOK_S)
