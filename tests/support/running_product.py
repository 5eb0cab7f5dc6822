"""The product as a user runs it, and an independent listener."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from support.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "docs" / "mqtt"


@dataclass(frozen=True)
class Heard:
    """A message as ``mosquitto_sub`` printed it."""

    topic: str
    payload: str
    at_s: float

    @property
    def document(self) -> dict[str, Any]:
        found = json.loads(self.payload)
        assert isinstance(found, dict)
        return found

    @property
    def said_s(self) -> float:
        """When the document says it was made."""
        return datetime.fromisoformat(self.document["at"]).timestamp()


class MosquittoSub:
    """``mosquitto_sub -v -t '#'`` in its own process, which hears from the moment it is entered."""

    TALK = ("Client ", "Subscribed (")
    """How the lines begin that ``-d`` prints beside the messages."""

    def __init__(self, port: int) -> None:
        binary = shutil.which("mosquitto_sub")
        if binary is None:
            pytest.skip("mosquitto_sub is not installed")
        # else what -d prints stays in a buffer until the first message
        self._command = ["stdbuf", "-oL", binary, "-p", str(port), "-d", "-v", "-t", "#", "-q", "1"]
        self.heard: list[Heard] = []
        self._subscribed = threading.Event()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        if not self._subscribed.wait(PATIENCE_S):
            self.__exit__(None, None, None)
            raise AssertionError("mosquitto_sub was not let in")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._thread.join(PATIENCE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(self.TALK):
                if line.startswith("Subscribed ("):
                    self._subscribed.set()
                continue
            topic, _, payload = line.rstrip("\n").partition(" ")
            self.heard.append(Heard(topic, payload, time.monotonic()))

    def on(self, name: str) -> list[Heard]:
        """What came on a short topic of any node."""
        return [heard for heard in list(self.heard) if heard.topic.split("/", 2)[-1] == name]

    def documents(self, name: str) -> list[dict[str, Any]]:
        """The documents of a short topic."""
        return [heard.document for heard in self.on(name)]


@dataclass
class Running:
    """A command of the product."""

    process: subprocess.Popen[str]
    began_s: float
    lines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    readers: list[threading.Thread] = field(default_factory=list)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def wait(self, seconds: float = PATIENCE_S) -> int:
        """Until it ends and all it printed is read; returns the exit status."""
        status = self.process.wait(seconds)
        for reader in self.readers:
            reader.join(PATIENCE_S)
        return status

    def says(self, words: str) -> bool:
        """Whether it has printed these words."""
        return any(words in line for line in [*self.lines, *self.errors])

    def children(self) -> dict[str, int]:
        """The roles' processes by role."""
        import psutil

        found: dict[str, int] = {}
        for child in psutil.Process(self.process.pid).children():
            command = child.cmdline()
            if "daemon.child" in command:
                found[command[-1]] = child.pid
            elif command and "mosquitto" in command[0]:
                found["broker"] = child.pid
        return found


class Product:
    """Starts ``neuroplayer`` commands from this environment."""

    def __init__(self) -> None:
        self._running: list[Running] = []

    def start(self, *arguments: str, program: Sequence[str] = ()) -> Running:
        """Start a command; its output is collected line by line."""
        command = [*(program or (sys.executable, "-m", "daemon.cli")), *arguments]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
        )
        running = Running(process, time.monotonic())
        for stream, lines in ((process.stdout, running.lines), (process.stderr, running.errors)):
            reader = threading.Thread(target=self._collect, args=(stream, lines), daemon=True)
            reader.start()
            running.readers.append(reader)
        self._running.append(running)
        return running

    @staticmethod
    def _collect(stream: Any, lines: list[str]) -> None:
        with stream:
            for line in stream:
                lines.append(line.rstrip("\n"))  # noqa: PERF401 - each is seen as it comes

    def end_all(self) -> None:
        """End what still runs, and wait until nothing of it is left."""
        for running in self._running:
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGCONT)
                running.process.terminate()
        for running in self._running:
            try:
                running.wait()
            except subprocess.TimeoutExpired:
                import psutil

                product = psutil.Process(running.process.pid)
                for process in [*product.children(recursive=True), product]:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
                running.wait()
