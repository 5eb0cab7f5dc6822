"""From options to a running session: settings, then the supervisor with all roles, or one role."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import click

from daemon import options as opt
from daemon.configured import settings_from
from daemon.found import headline
from daemon.roles.broker import is_free, own_broker
from daemon.settings import RoleName, Settings, WebSettings
from daemon.sharing import refuse_to_share


def run_one(role: str, options: Mapping[str, Any]) -> int:
    """One role in this process."""
    settings = settings_from(options)
    refuse_to_share(settings)
    from daemon.wiring import run_role

    return run_role(cast(RoleName, role), settings)


def run_everything(options: Mapping[str, Any]) -> int:
    """All roles as child processes, until Ctrl-C or the end of ``--duration``."""
    settings = _completed(settings_from(options))
    roles: list[RoleName] = ["player"]
    if settings.broker.ours:
        roles.append("broker")
    roles += ["engine", "view"]
    if settings.web is not None:
        roles.append("web")
    from daemon.wiring import ROLES

    return asyncio.run(_supervise([role for role in roles if role in ROLES], settings))


def run_recording(options: Mapping[str, Any]) -> int:
    """Broker, engine and view with a recording, and neither music nor page."""
    settings = _completed(settings_from({**options, "record": True, "no_web": True}))
    roles: list[RoleName] = ["engine", "view"]
    if settings.broker.ours:
        roles.insert(0, "broker")
    return asyncio.run(_supervise(roles, settings))


def _completed(settings: Settings) -> Settings:
    import msgspec

    broker = settings.broker if settings.broker.named and settings.share != "off" else own_broker()
    web = settings.web
    if web is not None and web.named:
        opt.check_listen(web.host, web.port, "web address")
    elif web is not None:
        web = _any_web_port(web)
    complete = msgspec.structs.replace(settings, broker=broker, web=web)
    return msgspec.structs.replace(complete, headline=tuple(headline(complete)))


def _any_web_port(web: WebSettings) -> WebSettings:
    for port in range(web.port, web.port + 20):
        if is_free(port, web.host):
            return WebSettings(host=web.host, port=port)
    return web


async def _supervise(roles: list[RoleName], settings: Settings) -> int:
    from daemon.stopping import stop_on_signals
    from daemon.supervisor import Supervisor

    log_file = None
    if settings.view == "live":
        log_file = (Path(settings.state_dir) / "neuroplayer.log").open("w", encoding="utf-8")

    def say(line: str) -> None:
        print(line, file=log_file or sys.stderr, flush=True)

    supervisor = Supervisor(roles, settings, say=say)
    stop = stop_on_signals()
    task = asyncio.create_task(supervisor.run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    supervisor.stop()
    status = await task
    stopping.cancel()
    if log_file is not None:
        log_file.close()
        if supervisor.failure:
            click.echo(supervisor.failure, err=True)
    return status
