"""Printing to somebody who may be gone: a closed terminal, ``| head``, a ``tee`` that Ctrl-C ended first."""

from __future__ import annotations

import os
from typing import TextIO


def printed(line: str, stream: TextIO) -> bool:
    """Print a line at once. False where nobody reads any more; from then on the stream leads nowhere.

    What stays in its buffer would else fail again when the process ends, and change its exit status.
    """
    try:
        encoding = stream.encoding or "utf-8"
        print(line.encode(encoding, "replace").decode(encoding), file=stream, flush=True)
    except (OSError, ValueError):
        lead_nowhere(stream)
        return False
    return True


def lead_nowhere(stream: TextIO) -> None:
    """Have whatever is still written to the stream vanish."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # it has no descriptor: then nothing fails at the end either
        return
