"""One daemon a node and state folder: a second one is refused, whatever happened to the first."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from daemon.errors import BadInputError
from daemon.settings import Settings

PATIENCE_S = 4.0
"""A predecessor that is just ending has so long to let go."""


@contextlib.contextmanager
def only_one(settings: Settings, roles: Sequence[str]) -> Iterator[None]:
    """Hold the locks of these roles. Raises ``BadInputError`` when another process has one.

    The kernel drops the locks of a process that dies, so none is ever left behind.
    """
    with contextlib.ExitStack() as held:
        for role in sorted(roles):
            path = Path(settings.state_dir) / f"{settings.node}-{role}.lock"
            held.enter_context(_locked(path, role, settings.node))
        yield


@contextlib.contextmanager
def _locked(path: Path, role: str, node: str) -> Iterator[None]:
    with path.open("a+", encoding="ascii") as file:
        until = time.monotonic() + PATIENCE_S
        while not _try(file.fileno()):
            if time.monotonic() > until:
                file.seek(0)
                raise BadInputError(
                    f"another {role} of node {node!r} runs already (process {file.read(20).strip() or '?'}, "
                    f"{path}): stop it, or name another node with --node"
                )
            time.sleep(0.1)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
