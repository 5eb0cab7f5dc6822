"""One daemon a node and state folder: a second one is refused, whatever happened to the first."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from daemon.errors import BadInputError
from daemon.places import working_folder
from daemon.settings import Settings
from daemon.wearers.wearer import wearer_of

log = logging.getLogger(__name__)

MAX_BYTES = 1024
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
            held.enter_context(_locked(path, role, settings))
        yield


@dataclass(frozen=True, slots=True)
class Running:
    """A role that runs on this machine, on this state folder."""

    node: str
    role: str
    broker_url: str = ""
    """Without name and password; empty where it is not known."""
    wearer_mark: str = ""


def wearer_mark(name: str) -> str:
    """What a lock says of the wearer: enough to ask the right ones to forget them, and no name."""
    return hashlib.blake2s(name.encode(), digest_size=8).hexdigest()


def running_roles(state_dir: Path) -> Iterator[Running]:
    """Whoever holds a lock now."""
    for path in sorted(state_dir.glob("*-*.lock")):
        node, _, role = path.stem.rpartition("-")
        with contextlib.suppress(OSError), path.open("rb") as file:
            if not _try(file.fileno()):
                lines = file.read(MAX_BYTES).decode("utf-8", "replace").splitlines()
                yield Running(node, role, *lines[1:3])


@contextlib.contextmanager
def _locked(path: Path, role: str, settings: Settings) -> Iterator[None]:
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
                holder = next(iter(file.read(MAX_BYTES).decode("ascii", "replace").split()), "?")
                raise BadInputError(
                    f"another {role} of node {settings.node!r} runs already (process {holder}, "
                    f"{path}): stop it, or name another node with --node"
                )
            time.sleep(0.1)
        _sign(file, settings)
        yield
        with contextlib.suppress(OSError):
            file.truncate(0)


def sign_again(settings: Settings, roles: Sequence[str]) -> None:
    """Say in the locks that this process holds whose session it is now."""
    for role in roles:
        file = _opened(Path(settings.state_dir) / f"{settings.node}-{role}.lock")
        if file is not None:
            with file:
                _sign(file, settings)


def _sign(file: FileIO, settings: Settings) -> None:
    with contextlib.suppress(OSError):  # a full disk: the lock holds without the number
        file.truncate(0)
        mark = wearer_mark(wearer_of(settings).name)
        file.write(f"{os.getpid()}\n{settings.broker.url}\n{mark}\n".encode())


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


def drop_free_locks(state_dir: Path, node: str) -> None:
    """Delete the lock files of a node that bear its name and that nobody holds."""
    for path in state_dir.glob(f"{node}-*.lock"):
        if path.stem.rpartition("-")[0] == node:
            with contextlib.suppress(OSError), path.open("rb") as file:
                if _try(file.fileno()):
                    path.unlink()
