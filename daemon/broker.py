"""The broker of a machine that has none configured: Mosquitto where it is installed, else amqtt.

Both listen on loopback only. Mosquitto replaces this process, unless its health is to be told or root
starts it; amqtt runs inside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

from daemon.errors import BadInputError
from daemon.places import working_folder
from daemon.processes.ports import LOOPBACK, claim, is_free
from daemon.settings import BrokerSettings, Settings

DEFAULT_PORT = 1883
OTHER_PORTS = range(18_830, 18_930)
"""None that the kernel gives to an outgoing connection: such a one could take it while the broker is away."""
MESSAGE_LIMIT_BYTES = 1024 * 1024


def mosquitto_binary() -> str | None:
    """Where Mosquitto is; Debian keeps it in sbin, which is not on every PATH."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    return None if os.environ.get("NEUROPLAYER_EMBEDDED_BROKER") else found


def choose_port() -> int:
    """1883 where it is free, else one of its neighbours. Raises ``BadInputError`` when all are taken."""
    port = claim((DEFAULT_PORT, *OTHER_PORTS))
    if port is None:
        raise BadInputError("no port is free for the broker that is started here: name one with --broker")
    return port


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
            *(["user root"] if _is_root_of_a_namespace() else []),
            "",
        ]
    )


def _is_root_of_a_namespace() -> bool:
    """As in a container without privileges: such a root cannot become Mosquitto's own user, nor need it."""
    try:
        whole = Path("/proc/self/uid_map").read_text().split() == ["0", "0", str(2**32 - 1)]
    except OSError:
        return False
    return os.geteuid() == 0 and not whole


def _becomes_another_user() -> bool:
    """Started by root, Mosquitto becomes another user, and forgets that it is to end with its parent.

    So somebody has to stay who ends it.
    """
    return os.geteuid() == 0 and not _is_root_of_a_namespace()


def run_broker(settings: Settings) -> int:
    """Serve until told to stop. Raises ``BadInputError`` when the port is taken."""
    broker = settings.broker
    if not is_free(broker.port, broker.host):
        raise BadInputError(
            f"MQTT port {broker.port} on {broker.host} is in use: stop that program or name another port"
        )
    binary = mosquitto_binary()
    config = _written(settings) if binary else None
    if binary is None or config is None:
        return asyncio.run(_run_amqtt(settings))
    if settings.health_port is not None or _becomes_another_user():
        from daemon.health.broker import keep_mosquitto

        return asyncio.run(keep_mosquitto([binary, "-c", str(config)], settings))
    os.execv(binary, [binary, "-c", str(config)])  # noqa: S606 - a fixed program, no shell
    raise AssertionError("execv does not return")


def _written(settings: Settings) -> Path | None:
    """Mosquitto's configuration, in the state folder or in one that stands for it."""
    for folder in (Path(settings.state_dir) / "broker", working_folder()):
        if folder is not None:
            config = folder / f"mosquitto-{settings.node}.conf"
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
                config.write_text(mosquitto_config(settings.broker), encoding="utf-8")
                return config
    return None


async def _run_amqtt(settings: Settings) -> int:
    """The embedded broker speaks MQTT 3.1.1. Its plugins are named, or it would take any it finds."""
    from amqtt.broker import Broker

    from daemon.processes.stopping import stop_on_signals

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
    from daemon.health.broker import broker_health

    return broker_health(settings)
