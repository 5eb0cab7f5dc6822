"""Tries a network's file in a child process before the engine loads it: a crash there is a refusal here."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
from types import TracebackType
from typing import Self

import msgspec

from acquisition.isolation.child_clock import LOOK_S, ChildClock
from inference.networks.litert_classifier import LiteRtClassifier, load_interpreter
from inference.networks.manifest import Manifest, read_verified
from inference.networks.vetting_child import READY, Answer, Request
from inference.port import Classifier, ClassifierError

TIMEOUT_S = 4.0
"""A child that is ready and could have run so long without an answer is killed: within five seconds of the
question, where the machine is not busy."""
START_S = 30.0
"""So long it has until it is ready."""

READ_BYTES = 65536


class Vetting:
    """One child for any number of networks, begun when first asked and begun anew after a death.

    ``ask`` returns at once, so that the caller can do something else until ``answer``.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._child: subprocess.Popen[bytes] | None = None
        self._asked = ""
        self._ready = False
        self._said = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check(self, manifest: Manifest, variant: str) -> None:
        """Raises ``ClassifierError`` unless the file may be loaded."""
        self.ask(manifest, variant)
        self.answer()

    def ask(self, manifest: Manifest, variant: str) -> None:
        """Check the hash here and begin the trial there. Raises ``ClassifierError`` for a wrong hash."""
        read_verified(manifest, variant)
        child = self._alive()
        self._asked = f"{manifest.name} ({variant})"
        with contextlib.suppress(OSError):  # it has died: answer() will say so
            assert child.stdin is not None  # noqa: S101 - opened as a pipe
            child.stdin.write(msgspec.json.encode(Request(manifest, variant)) + b"\n")
            child.stdin.flush()

    def answer(self) -> None:
        """Wait for the trial's end. Raises ``ClassifierError`` with what the child said, or how it died."""
        child = self._child
        if child is None or child.stdout is None:
            raise ClassifierError("no trial was begun")
        line = self._line(child, self._timeout_s if self._ready else START_S)
        if line == READY:
            self._ready = True
            line = self._line(child, self._timeout_s)
        said = msgspec.json.decode(line, type=Answer)
        if said.error:
            raise ClassifierError(said.error)

    def close(self) -> None:
        """End the child. Safe to call twice."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # bytes that the dead child never read
                    pipe.close()

    def _line(self, child: subprocess.Popen[bytes], patience_s: float) -> bytes:
        """The next line. Raises ``ClassifierError`` where the child dies or hangs; it is then gone."""
        assert child.stdout is not None  # noqa: S101 - opened as a pipe
        clock = ChildClock(child.pid)
        while b"\n" not in self._said:
            if select.select([child.stdout], [], [], LOOK_S)[0]:
                data = os.read(child.stdout.fileno(), READ_BYTES)
                self._said += data
                if not data:
                    self.close()
                    raise self._refusal(_death(child))
            elif clock() > patience_s:
                self.close()
                raise self._refusal(f"did not answer within {patience_s:g} s")
        line, _, self._said = self._said.partition(b"\n")
        return line + b"\n"

    def _refusal(self, how: str) -> ClassifierError:
        return ClassifierError(f"{self._asked}: the trial in a process of its own {how}; not loaded")

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is not None:
            self.close()
        if self._child is None:
            self._ready, self._said = False, b""
            self._child = subprocess.Popen(
                [sys.executable, "-m", "inference.networks.vetting_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._child


def _death(child: subprocess.Popen[bytes]) -> str:
    code = child.returncode
    return f"died of signal {-code}" if code is not None and code < 0 else f"ended with status {code}"


def load_network(manifest: Manifest, variant: str, vetted: set[str] | None = None) -> Classifier:
    """Load one file of a network; takes half a second, and at most five on a machine that
    is not busy. Raises ``ClassifierError``.

    The hash is checked before anything is parsed, a child runs the golden vectors and a spread of other
    inputs, and only then is the same file, hashed again, loaded into this process. ``vetted`` remembers the
    hashes of files that have passed, which need no second trial.
    """
    digest = manifest.files[variant].sha256 if variant in manifest.files else ""
    if vetted is None or digest not in vetted:
        with Vetting() as vetting:
            vetting.ask(manifest, variant)
            # while the child is busy, this process imports what it will need
            load_interpreter()
            vetting.answer()
    classifier = LiteRtClassifier(manifest, variant)
    if vetted is not None:
        vetted.add(digest)
    return classifier
