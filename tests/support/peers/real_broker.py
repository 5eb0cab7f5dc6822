"""A real Mosquitto on loopback for the tests that need one."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Self

import pytest

from support.waiting import PATIENCE_S, wait_until

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


class RealBroker:
    """Mosquitto in its own process, which can be killed, stopped and started again on the same port."""

    def __init__(self, folder: Path, port: int, extra: str = "", *, anonymous: bool = True) -> None:
        if not Path(MOSQUITTO).exists():
            pytest.skip("Mosquitto is not installed")
        self.port = port
        self._config = folder / f"mosquitto-{port}.conf"
        lines = [f"listener {port} 127.0.0.1", f"allow_anonymous {str(anonymous).lower()}"]
        lines += ["set_tcp_nodelay true", "persistence false", "log_type none", extra]
        self._config.write_text("\n".join(lines) + "\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port, process=self.process)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(PATIENCE_S)


def wait_for_port(
    port: int, seconds: float = PATIENCE_S, process: subprocess.Popen[bytes] | None = None
) -> None:
    """Until something listens there; the process that is to do so must not end meanwhile."""

    def listens() -> bool:
        assert process is None or process.poll() is None, f"who was to listen on {port} has ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens, f"something listens on {port}", seconds)
