"""Work that may crash, hang or eat memory, done in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from acquisition.isolation.child_clock import communicate

MAX_OUTPUT_BYTES = 1_000_000


class ChildError(Exception):
    """How the child failed, to be read after what it was doing: ``crashed (SIGSEGV)``."""


def run_child(
    module: str,
    arguments: Sequence[str],
    *,
    timeout_s: float,
    cpu_s: int | None = None,
    memory_bytes: int | None = None,
) -> bytes:
    """Run ``python -m module arguments`` and return its standard output.

    It hangs when it could have run for ``timeout_s`` and has not ended. Raises ``ChildError`` where it
    crashed, hung, passed a limit or failed; its last line says why.
    """
    limits = [str(cpu_s or 0), str(memory_bytes or 0)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "models.files.limited_child", *limits, module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        said, errors = communicate(child, timeout_s)
    except subprocess.TimeoutExpired:
        raise ChildError(f"took longer than {timeout_s:g} s") from None
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        raise ChildError("took too long" if name in ("SIGXCPU", "SIGKILL") else f"crashed ({name})")
    if child.returncode:
        lines = errors.decode("utf-8", "replace").strip().splitlines()
        raise ChildError(f"failed: {lines[-1] if lines else 'no reason given':.200}")
    return said[:MAX_OUTPUT_BYTES]
