"""Hears music for its mood by the network of ``vibenet`` (GPL-3.0-or-later), in an interpreter of its own.

Run as a plain script by the interpreter that has ``vibenet``: it imports nothing of this project. It says
``{"ready": VERSION}``; then for each ``{"samples": N}`` on standard input, followed by N float32 of 16 kHz
mono, it answers ``{"energy": E, "valence": V}``, each 0..1, or ``{"error": TEXT}``, until its input closes.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
from importlib import metadata
from typing import Any, BinaryIO

RATE_HZ = 16_000
MAX_SAMPLES = 120 * RATE_HZ
MAX_LINE_BYTES = 200
MAX_MEMORY_BYTES = 3 << 30
NICENESS = 19


def main() -> None:
    """Answer until standard input closes."""
    out = _own_output()
    _step_back()
    try:
        # imported here: what it prints on the way must not reach the answers, and a failure is one
        import vibenet

        model = vibenet.load_model()
    except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is told
        _send(out, _failure(error))
        return
    _send(out, {"ready": metadata.version("vibenet")})
    while line := sys.stdin.buffer.readline(MAX_LINE_BYTES):
        n_samples = int(json.loads(line)["samples"])
        if not 0 < n_samples <= MAX_SAMPLES:
            raise ValueError(f"samples must be within 1..{MAX_SAMPLES}, got {n_samples}")
        content = sys.stdin.buffer.read(4 * n_samples)
        if len(content) < 4 * n_samples:
            return
        _send(out, _measured(model, content))


def _measured(model: Any, content: bytes) -> dict[str, object]:
    # imported here, as vibenet is: an interpreter without it has to say so
    import numpy as np

    try:
        found = model.predict(np.frombuffer(content, dtype="<f4"), sr=RATE_HZ)[0]
        return {"energy": float(found.energy), "valence": float(found.valence)}
    except Exception as error:  # noqa: BLE001 - whatever a track does to a stranger's network is that track's
        return _failure(error)


def _failure(error: Exception) -> dict[str, object]:
    return {"error": f"{type(error).__name__}: {error}"[:120]}


def _own_output() -> BinaryIO:
    """Standard output for the answers alone: what libraries print goes to standard error."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _step_back() -> None:
    """Everything else goes first; on one core, for the network's threads wait for each other by spinning."""
    os.nice(max(0, NICENESS - os.nice(0)))
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))


def _send(out: BinaryIO, answer: dict[str, object]) -> None:
    out.write(json.dumps(answer).encode() + b"\n")
    out.flush()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main()
