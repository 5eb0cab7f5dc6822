"""One daemon a node and state folder: a second one is refused, whatever happened to the first."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path

from daemon.errors import BadInputError
from daemon.places import working_folder
from daemon.settings import Settings

log = logging.getLogger(__name__)

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
    file = _opened(path)
    if file is None:
        log.warning(
            "no lock can be made (%s): that this is the only %s of its node is not checked", path, role
        )
        yield
        return
    with file:
        until = time.monotonic() + PATIENCE_S
        while not _try(file.fileno()):
            if time.monotonic() > until:
                file.seek(0)
                holder = file.read(20).decode("ascii", "replace").strip() or "?"
                raise BadInputError(
                    f"another {role} of node {node!r} runs already (process {holder}, "
                    f"{path}): stop it, or name another node with --node"
                )
            time.sleep(0.1)
        with contextlib.suppress(OSError):  # a full disk: the lock holds without the number
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        yield


def _opened(path: Path) -> FileIO | None:
    """The file to be locked; where its folder cannot be written, one that stands for it."""
    with contextlib.suppress(OSError):
        return path.open("a+b", buffering=0)
    working = working_folder()
    if working is not None:
        name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:16]
        with contextlib.suppress(OSError):
            return (working / f"{name}.lock").open("a+b", buffering=0)
    return None


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
