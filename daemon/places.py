"""Where the product keeps its files.

A folder that cannot be used never costs the music: what is needed to run stands in a private folder of the
machine's temporary ones then, and what only is to be kept is not kept
(docs/decisions/0095-folders-that-cannot-be-written.md).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

APP = "neuroplayer"
LOG_FILE = "neuroplayer.log"
"""In the state folder: what the roles say while the terminal is drawn on."""

Kind = Literal["state", "cache", "config"]
CACHE_ROOM_BYTES = 16 * 1024 * 1024
"""The first piece of the demo music, and what is known of a large library."""
STATE_ROOM_BYTES = 64 * 1024
Cause = Literal["no_home", "no_room", "read_only", "not_ours"]
"""Why nothing can be kept in a folder; ``not_ours`` is everything else that the system says."""
CAUSES: dict[int, Cause] = {errno.ENOSPC: "no_room", errno.EDQUOT: "no_room", errno.EROFS: "read_only"}
STAND_INS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - a private folder is made there
LENT_HOME = "NEUROPLAYER_LENT_HOME"
"""Set for the processes that are started here, where ``HOME`` is a stand-in."""


@dataclass(frozen=True, slots=True)
class FolderTrouble:
    """Why a folder cannot be written, with the system's own words."""

    cause: Cause
    words: str


@dataclass(frozen=True, slots=True)
class Unkept:
    """A folder that cannot be written, why, and what is used in its place, if anything."""

    kind: Kind
    wanted: Path
    trouble: FolderTrouble
    instead: Path | None


def wanted_folder(kind: Kind) -> Path | None:
    """Where these files belong; None for who has no home and names no folder."""
    given = os.environ.get(f"NEUROPLAYER_{kind.upper()}_DIR")
    if given:
        return Path(given)
    if os.environ.get(LENT_HOME):
        return None
    import platformdirs

    try:
        folder = Path(str(getattr(platformdirs, f"user_{kind}_dir")(APP)))
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None


def lend_home() -> None:
    """Name a home folder where this user has none: libVLC crashes without one. For the start of a program."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = str(working_folder() or STAND_INS[0])
        os.environ[LENT_HOME] = "1"


def cache_dir() -> Path:
    """What can be made again: the library's analysis, demo music. It can be written, if any folder can."""
    return _usable("cache")


def state_dir() -> Path:
    """What is the wearers' (``daemon.wearers.wearer`` says where), and what this machine's sessions share.

    It may be read where it cannot be written.
    """
    return _usable("state")


def config_file() -> Path:
    """The one configuration file, which need not exist."""
    given = os.environ.get("NEUROPLAYER_CONFIG")
    return Path(given) if given else _usable("config") / "neuroplayer.toml"


def unkept() -> Iterator[Unkept]:
    """The folders of which nothing can be kept now. They are made where they can be."""
    kinds: tuple[Kind, ...] = ("state", "cache")
    for kind in kinds:
        wanted, used = wanted_folder(kind), _usable(kind)
        no_home = FolderTrouble("no_home", "there is no home folder")
        found = no_home if wanted is None else trouble(wanted, _room(kind))
        if found is not None:
            yield Unkept(kind, wanted or Path("~"), found, used if used != wanted else None)


def trouble(folder: Path, room_bytes: int = STATE_ROOM_BYTES) -> FolderTrouble | None:
    """Why nothing can be written there, by trying; None where it can. Makes the folder."""
    try:
        private_folder(folder)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(STATE_ROOM_BYTES))
            probe.flush()
        if shutil.disk_usage(folder).free < room_bytes:
            return FolderTrouble("no_room", f"less than {room_bytes >> 20} MB free")
        foreign = [path for path in folder.glob("*.sqlite*") if not os.access(path, os.W_OK)]
    except OSError as error:
        cause = CAUSES.get(error.errno or 0, "not_ours")
        return FolderTrouble(cause, (error.strerror or str(error)).lower())
    return FolderTrouble("not_ours", f"{foreign[0].name}: permission denied") if foreign else None


def working_folder(room_bytes: int = STATE_ROOM_BYTES) -> Path | None:
    """A folder of this user's alone that lasts as long as the machine runs; None where none can be made."""
    user = os.getuid()
    named = (os.environ.get(name) for name in ("TMPDIR", "XDG_RUNTIME_DIR"))
    for above in (*filter(None, named), *STAND_INS):
        folder = Path(above) / f"{APP}-{user}"
        with contextlib.suppress(OSError):
            if _is_ours(private_folder(folder), user) and not trouble(folder, room_bytes):
                return folder
    return None


def _is_ours(folder: Path, user: int) -> bool:
    """Others may write in the folder above it: what they have laid there is not used."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o077


def _room(kind: Kind) -> int:
    return CACHE_ROOM_BYTES if kind == "cache" else STATE_ROOM_BYTES


def _usable(kind: Kind) -> Path:
    wanted = wanted_folder(kind)
    if wanted is not None and (kind == "config" or not _must_be_replaced(kind, wanted)):
        return wanted
    instead = working_folder(_room(kind)) or working_folder()
    if instead is None:
        return wanted or Path(STAND_INS[0]) / f"{APP}-{os.getuid()}" / kind
    with contextlib.suppress(OSError):
        return private_folder(instead / kind)
    return wanted or instead


def _must_be_replaced(kind: Kind, folder: Path) -> bool:
    """The cache is worked with, so it must be written; of a state that can be read, what is there is used."""
    if not trouble(folder, _room(kind)):
        return False
    return kind == "cache" or not os.access(folder, os.R_OK | os.X_OK)


def is_there(path: Path) -> bool:
    """Whether it exists and may be seen; ``Path.exists`` raises where a folder above may not be entered."""
    try:
        return path.exists()
    except OSError:
        return False


def private_folder(path: Path) -> Path:
    """The folder, made with mode 0700 where it was missing."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def unkept_words(folder: Unkept) -> str:
    """A folder in which nothing can be kept, for a person."""
    so = "nothing new is kept there" if folder.instead is None else f"{folder.instead} is used instead"
    return f"{folder.wanted} cannot be written ({folder.trouble.words}): {so}"
