"""A machine that is busy with other work: so many programs that spin, for as long as the ``with`` lasts."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

SPIN = "import time\nend = time.monotonic() + 240\nwhile time.monotonic() < end: pass"
"""Ends by itself, should the test be killed."""


@contextlib.contextmanager
def busy(programs: int = 30) -> Iterator[None]:
    """Real processes, each a session of its own: Linux shares processors among these."""
    command = [sys.executable, "-S", "-c", SPIN]
    spinning = [subprocess.Popen(command, start_new_session=True) for _ in range(programs)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
        for process in spinning:
            process.wait()
