"""From options to a running session: settings, then the supervisor with all roles, or one role."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO, cast

import click

from daemon.broker import own_broker
from daemon.configuration import values as opt
from daemon.configuration.environment import unknown_variables
from daemon.configuration.merging import settings_from
from daemon.configuration.reloading import EXIT_RESTART, SupervisorReload
from daemon.home.sharing import refuse_to_share
from daemon.places import private_folder
from daemon.processes.locks import only_one, running_roles
from daemon.processes.logs import in_format, open_log
from daemon.processes.ports import claim
from daemon.processes.stopping import end_undisturbed, stop_on_signals
from daemon.processes.supervisor import Supervisor
from daemon.processes.systemd_notify import FRESH_S, NEEDED, notify, watch_service
from daemon.settings import RoleName, Settings, WebSettings
from daemon.startup.headline import headline, unkept_lines
from daemon.startup.headset_search import chosen
from daemon.terminal.printing import printed
from daemon.wearers.moving import move_in
from daemon.wearers.wearer import is_guest, leave_no_trace, wearer_of

CHOICE_AFTER_S = 2.0
WEB_PORTS = 20
"""So many are tried for a page whose address nobody named."""


def run_one(role: str, options: Mapping[str, Any]) -> int:
    """One role in this process."""
    settings = _asked(options)
    refuse_to_share(settings)
    _warn_unkept()
    from daemon.wiring import run_role

    with only_one(settings, [role] if role in ("engine", "player") else []):
        status = run_role(cast(RoleName, role), settings)
    _after_a_guest(settings)
    if status == EXIT_RESTART:
        os.execv(sys.executable, [sys.executable, "-m", "daemon.cli", *sys.argv[1:]])  # noqa: S606 - no shell
    return status


def run_everything(options: Mapping[str, Any]) -> int:
    """All roles as child processes, until Ctrl-C or the end of ``--duration``."""
    asked = _asked(options)
    settings = _completed(asked)
    roles: list[RoleName] = ["player"]
    if settings.broker.ours:
        roles.append("broker")
    roles += ["engine", "view"]
    if settings.web is not None:
        roles.append("web")
    from daemon.wiring import ROLES

    with only_one(settings, ["engine", "player"]):
        return asyncio.run(_supervise([role for role in roles if role in ROLES], settings, asked))


def run_recording(options: Mapping[str, Any]) -> int:
    """Broker, engine and view with a recording, and neither music nor page."""
    asked = _asked({**options, "record": True, "no_web": True})
    settings = _completed(asked, music=False)
    roles: list[RoleName] = ["engine", "view"]
    if settings.broker.ours:
        roles.insert(0, "broker")
    with only_one(settings, ["engine"]):
        return asyncio.run(_supervise(roles, settings, asked))


def _asked(options: Mapping[str, Any]) -> Settings:
    if line := unknown_variables():
        click.echo(f"neuroplayer: {line}", err=True)
    settings = settings_from(options)
    _make_room(settings)
    return settings


def _make_room(settings: Settings) -> None:
    """The wearer's folder, with what an earlier version kept elsewhere; a guest's is gone with the guest."""
    wearer = wearer_of(settings)
    if is_guest(settings):
        _after_a_guest(settings)
    else:
        move_in(wearer)
    with contextlib.suppress(OSError):  # what cannot be kept is told by who wants to keep it
        private_folder(wearer.folder)


def _after_a_guest(settings: Settings) -> None:
    """Once no role of the node runs any more."""
    if all(role.node != settings.node for role in running_roles(Path(settings.state_dir))):
        leave_no_trace(settings)


def _completed(settings: Settings, *, music: bool = True) -> Settings:
    import msgspec

    broker = settings.broker if settings.broker.named and settings.share != "off" else own_broker()
    web = settings.web
    if web is not None and web.named:
        opt.check_listen(web.host, web.port, "web address")
    elif web is not None:
        web = _any_web_port(web)
    # the page is opened from here, once, however often its role begins anew
    complete = msgspec.structs.replace(settings, broker=broker, web=web, open_page=False)
    return msgspec.structs.replace(complete, headline=tuple(headline(complete, music=music)))


def _warn_unkept() -> None:
    """On standard error, for who sees no headline."""
    for line in unkept_lines():
        printed(line, sys.stderr)


def _any_web_port(web: WebSettings) -> WebSettings:
    port = claim(range(web.port, web.port + WEB_PORTS), web.host)
    return web if port is None else WebSettings(host=web.host, port=port)


def _opening(asked: Settings, settings: Settings, notify: Callable[[str], None]) -> list[asyncio.Task[None]]:
    if not asked.open_page or settings.web is None:
        return []
    from daemon.web.page_opening import open_page

    return [asyncio.create_task(open_page(settings.web, Path(settings.state_dir), notify))]


async def _supervise(roles: list[RoleName], settings: Settings, asked: Settings) -> int:
    stop = stop_on_signals()
    if settings.view == "json":
        _warn_unkept()
    lines = _Lines(settings)
    looking = not settings.source_named and settings.look_s > 0
    supervisor = Supervisor(roles, settings, notify=lines.write, undecided=looking)
    reload = SupervisorReload(asked, supervisor, lines.write)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _hung_up(stop, reload))
    serving = asyncio.create_task(watch_service(lambda: supervisor.alive(NEEDED, FRESH_S)))
    task = asyncio.create_task(supervisor.run())
    choosing = asyncio.create_task(_choose(supervisor, lines) if "player" in roles else asyncio.sleep(0))
    search = asyncio.create_task(_look(supervisor, music="player" in roles) if looking else asyncio.sleep(0))
    stopping = asyncio.create_task(stop.wait())
    opening = _opening(asked, settings, lines.write)
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    notify("STOPPING=1")
    search.cancel()
    choosing.cancel()
    supervisor.stop()
    status = await task
    for pending in (stopping, serving, *opening):
        pending.cancel()
    await asyncio.gather(stopping, serving, search, choosing, *opening, return_exceptions=True)
    if lines.close() and supervisor.failure:
        click.echo(supervisor.failure, err=True)
    leave_no_trace(supervisor.settings)
    for path in recorded(supervisor.settings):
        printed(f"Recorded: {path}", sys.stderr if settings.view == "json" else sys.stdout)
    end_undisturbed()
    return status


class _Lines:
    """Where lines go: to standard error, or to the wearer's log while the view draws on the terminal."""

    def __init__(self, settings: Settings) -> None:
        self._file: TextIO | None = None
        self.begin(settings)

    def begin(self, settings: Settings) -> None:
        """From now on they are of this session."""
        self.close()
        self._log = settings.log
        if settings.view == "live":
            self._file = open_log(wearer_of(settings).log, anew=True)  # the view writes there too

    def write(self, line: str) -> None:
        """Add a line."""
        printed(in_format("supervisor", self._log, line), self._file or sys.stderr)

    def close(self) -> bool:
        """Whether there was a log."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
        return file is not None


async def _choose(supervisor: Supervisor, lines: _Lines) -> None:
    """Let the wearer be chosen while the session runs; what that needs is loaded once the music plays."""
    await asyncio.sleep(CHOICE_AFTER_S)
    from daemon.startup.next_session import NextSession
    from daemon.startup.wearer_choice import WearerChoice

    turn = NextSession(supervisor, ("engine", "player"), lines.begin)
    await WearerChoice(lambda: supervisor.settings, turn).run()


def recorded(settings: Settings) -> list[Path]:
    """The files of the recording that was asked for; several where the engine was started again."""
    folder = wearer_of(settings).recordings
    found = folder.glob(f"{settings.record}*.xdf") if settings.record else ()
    return sorted(found, key=lambda path: (len(path.name), path.name))


def _hung_up(stop: asyncio.Event, reload: Callable[[], None]) -> Callable[[], None]:
    """What SIGHUP means: end where the terminal was closed, else read the configuration anew."""
    had_terminal = os.isatty(sys.stdout.fileno())

    def on_hangup() -> None:
        if had_terminal and not os.isatty(sys.stdout.fileno()):
            stop.set()
        else:
            reload()

    return on_hangup


async def _look(supervisor: Supervisor, *, music: bool) -> None:
    """Find the source that nobody named, beside the start of broker and player."""
    choice = await chosen(supervisor.settings.look_s)
    supervisor.decide(choice.source, headline(supervisor.settings, choice.lines, music=music))
