"""A helper that runs its own file as a process: it says ``ready`` and can be killed or stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

TESTS = str(Path(__file__).resolve().parents[1])


class ChildScript:
    """``_start`` runs a file with arguments and waits until it is ready; ``stop`` kills it."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """Start it as it was set up."""
        raise NotImplementedError

    def _start(self, file: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, file, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": TESTS},
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline().strip()
        if said != "ready":
            self.stop()
            raise AssertionError(f"{file} did not get ready: it said {said!r}")

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()

    def __enter__(self) -> Self:
        return self if self.process is not None else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
