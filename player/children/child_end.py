"""The end of a process that was started here to do what may crash or hang."""

from __future__ import annotations

import contextlib
import subprocess


def end_child(child: subprocess.Popen[bytes], patience_s: float) -> None:
    """Close its input and ask it to end; one that is inside a decoder hears neither, and is killed.

    When this returns the process is gone and its pipes are closed.
    """
    with contextlib.suppress(OSError):  # bytes that it never read
        if child.stdin is not None:
            child.stdin.close()
    child.terminate()
    try:
        child.wait(patience_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    with contextlib.suppress(OSError):
        if child.stdout is not None:
            child.stdout.close()
