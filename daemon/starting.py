"""From options to a running session: settings, then the supervisor with all roles, or one role."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import click

from daemon import options as opt
from daemon import places
from daemon.errors import BadInputError
from daemon.found import headline
from daemon.roles.broker import is_free, own_broker
from daemon.settings import BrokerSettings, RoleName, Settings, ViewKind, WebSettings
from daemon.topics import TopicError, checked_node

DEFAULT_WEB = WebSettings()


def settings_from(options: Mapping[str, Any]) -> Settings:
    """The settings of a session. Raises ``BadInputError`` for the first wrong option."""
    given = {key: value for key, value in options.items() if value is not None and value != ()}
    try:
        node = checked_node(str(given.get("node", "home")))
    except TopicError as error:
        raise BadInputError(str(error)) from None
    checks: dict[str, Callable[[Any], Any]] = {
        "source": opt.check_source,
        "speed": opt.parse_speed,
        "output": opt.check_output,
        "baseline": opt.parse_baseline,
        "policy": opt.check_policy,
        "target": opt.check_target,
    }
    checked = {name: check(given[name]) for name, check in checks.items() if name in given}
    if "duration" in given:
        checked["duration_s"] = opt.parse_duration(given["duration"])
    return Settings(
        node=node,
        music=tuple(opt.check_music(folder) for folder in given.get("music", ())),
        broker=opt.parse_broker(given["broker"]) if "broker" in given else BrokerSettings(),
        seed=given.get("seed", 0),
        record=f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}-{node}" if given.get("record") else "",
        web=_web(given),
        view=_view(given),
        state_dir=str(places.private_folder(places.state_dir())),
        cache_dir=str(places.private_folder(places.cache_dir())),
        **checked,
    )


def _web(given: Mapping[str, Any]) -> WebSettings | None:
    if given.get("no_web"):
        return None
    return opt.parse_web(given["web"]) if "web" in given else DEFAULT_WEB


def _view(given: Mapping[str, Any]) -> ViewKind:
    if given.get("as_json"):
        return "json"
    return "plain" if given.get("plain") or not sys.stdout.isatty() else "live"


def run_one(role: str, options: Mapping[str, Any]) -> int:
    """One role in this process."""
    settings = settings_from(options)
    from daemon.wiring import run_role

    return run_role(cast(RoleName, role), settings)


def run_everything(options: Mapping[str, Any]) -> int:
    """All roles as child processes, until Ctrl-C or the end of ``--duration``."""
    settings = _completed(settings_from(options), options)
    roles: list[RoleName] = ["player"]
    if settings.broker.ours:
        roles.append("broker")
    roles += ["engine", "view"]
    if settings.web is not None:
        roles.append("web")
    from daemon.wiring import ROLES

    return asyncio.run(_supervise([role for role in roles if role in ROLES], settings))


def _completed(settings: Settings, options: Mapping[str, Any]) -> Settings:
    import msgspec

    broker = settings.broker if options.get("broker") else own_broker()
    web = settings.web
    if web is not None and options.get("web"):
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
