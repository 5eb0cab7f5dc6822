"""The broker of a machine that has none configured: Mosquitto where it is installed, else amqtt.

Both listen on loopback only. Mosquitto replaces this process, unless its health is to be told; amqtt runs
inside it.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

from daemon.errors import BadInputError
from daemon.settings import BrokerSettings, Settings

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 1883
MESSAGE_LIMIT_BYTES = 1024 * 1024


def mosquitto_binary() -> str | None:
    """Where Mosquitto is; Debian keeps it in sbin, which is not on every PATH."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    return None if os.environ.get("NEUROPLAYER_EMBEDDED_BROKER") else found


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a listener could bind there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def choose_port() -> int:
    """1883 where it is free, else any free port."""
    if is_free(DEFAULT_PORT):
        return DEFAULT_PORT
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def own_broker() -> BrokerSettings:
    """A broker that this product will start."""
    return BrokerSettings(host=LOOPBACK, port=choose_port(), ours=True, mqtt3=mosquitto_binary() is None)


def mosquitto_config(broker: BrokerSettings) -> str:
    """Loopback only, nothing kept on disk, no Nagle delay, bounded messages and queues."""
    return "\n".join(
        [
            f"listener {broker.port} {broker.host}",
            "allow_anonymous true",
            "set_tcp_nodelay true",
            "persistence false",
            f"max_packet_size {MESSAGE_LIMIT_BYTES}",
            "max_queued_messages 1000",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "",
        ]
    )


def run_broker(settings: Settings) -> int:
    """Serve until told to stop. Raises ``BadInputError`` when the port is taken."""
    broker = settings.broker
    if not is_free(broker.port, broker.host):
        raise BadInputError(
            f"MQTT port {broker.port} on {broker.host} is in use: stop that program or name another port"
        )
    binary = mosquitto_binary()
    if binary is None:
        return asyncio.run(_run_amqtt(settings))
    folder = Path(settings.state_dir) / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / f"mosquitto-{settings.node}.conf"
    config.write_text(mosquitto_config(broker), encoding="utf-8")
    if settings.health_port is not None:
        from daemon.roles.broker_health import keep_mosquitto

        return asyncio.run(keep_mosquitto([binary, "-c", str(config)], settings))
    os.execv(binary, [binary, "-c", str(config)])  # noqa: S606 - a fixed program, no shell
    raise AssertionError("execv does not return")


async def _run_amqtt(settings: Settings) -> int:
    """The embedded broker speaks MQTT 3.1.1. Its plugins are named, or it would take any it finds."""
    from amqtt.broker import Broker

    from daemon.stopping import stop_on_signals

    broker = settings.broker

    config = {
        "listeners": {
            "default": {"type": "tcp", "bind": f"{broker.host}:{broker.port}", "max_connections": 64}
        },
        "plugins": {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
        },
    }
    stop = stop_on_signals()
    server = Broker(config)
    await server.start()
    async with _health(settings):
        await stop.wait()
    await server.shutdown()
    return 0


def _health(settings: Settings) -> AbstractAsyncContextManager[None]:
    if settings.health_port is None:
        return nullcontext()
    from daemon.roles.broker_health import broker_health

    return broker_health(settings)
