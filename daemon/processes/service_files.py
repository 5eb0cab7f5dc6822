"""The files of the service: written with their own seal, and removed only while the seal still fits.

The first line of each holds the hash of all that follows. So a file that somebody else wrote, or changed
since, is neither overwritten nor removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from daemon.processes.systemd_units import ROLES, unit_name

UNITS = "etc/systemd/system"
SYSUSERS_FILE = "etc/sysusers.d/neuroplayer.conf"
SEAL = "# Written by `neuroplayer service install`; changes belong in `systemctl edit`. sha256 of the rest: "
MAX_BYTES = 64 * 1024
SYSTEMCTL_S = 60.0


class ForeignFileError(Exception):
    """A file is not as ``service install`` wrote it. The message names it and says why."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What ``service install`` has left below a root: its files, and the links that enable its units."""

    files: tuple[Path, ...]
    links: tuple[Path, ...]

    @property
    def units(self) -> tuple[str, ...]:
        """The names of the units among the files."""
        return tuple(path.name for path in self.files if path.suffix == ".service")


def sealed(text: str) -> str:
    """The text below a line that says who wrote it and what it was."""
    return f"{SEAL}{hashlib.sha256(text.encode()).hexdigest()}\n{text}"


def require_own(path: Path) -> bool:
    """Whether the file is there. Raises ``ForeignFileError`` for one that is not as it was written."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ForeignFileError(f"{path} is not a file of this program ({error.strerror})") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ForeignFileError(f"{path} is not a file of this program (no regular file)")
    with os.fdopen(descriptor, "rb") as file:
        first, _, rest = file.read(MAX_BYTES).partition(b"\n")
    if not first.startswith(SEAL.encode()):
        raise ForeignFileError(f"{path} was not written by this program")
    if first.removeprefix(SEAL.encode()).decode("latin-1") != hashlib.sha256(rest).hexdigest():
        raise ForeignFileError(f"{path} was changed after it was written")
    return True


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file anew, whole or not at all. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def find(base: Path) -> tuple[Installed, list[str]]:
    """What is installed below ``base``, and what stands in the way of removing it, a line each."""
    names = [unit_name(role) for role in ("run", *ROLES)]
    files: list[Path] = []
    complaints: list[str] = []
    for path in [*(base / UNITS / name for name in names), base / SYSUSERS_FILE]:
        try:
            if require_own(path):
                files.append(path)
        except ForeignFileError as error:
            complaints.append(str(error))
    wants = base / UNITS / "multi-user.target.wants"
    links = [wants / path.name for path in files if (wants / path.name).is_symlink()]
    return Installed(tuple(files), tuple(links)), complaints


def remove(installed: Installed) -> None:
    """Remove the links, then the files. Raises ``OSError``."""
    for path in (*installed.links, *installed.files):
        with contextlib.suppress(FileNotFoundError):  # `systemctl disable` has taken the links
            path.unlink()


def systemctl(program: str, *words: str) -> str:
    """Run it; what it complains about, or nothing."""
    command: Sequence[str] = (program, *words)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=SYSTEMCTL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return " ".join(done.stderr.split())[:500] or f"{' '.join(command)} ended with status {done.returncode}"
