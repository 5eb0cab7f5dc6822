"""Files that hold a secret: read only where nobody else may read them, and made so."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_BYTES = 4096


class PrivateFileError(ValueError):
    """The file cannot be used for a secret. The message names its rule and never what it holds."""


def read_private(path: Path) -> str:
    """The text of a file of mode 0600, without blanks around it. Raises PrivateFileError."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            mode = os.fstat(handle).st_mode
            if not stat.S_ISREG(mode):
                raise PrivateFileError(f"{path}: is no file")
            if mode & 0o077:
                raise PrivateFileError(
                    f"{path}: may be read by others (mode {stat.S_IMODE(mode):04o}): chmod 600 it"
                )
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PrivateFileError(f"{path}: cannot be read ({error.strerror})") from None
    if len(content) > MAX_BYTES:
        raise PrivateFileError(f"{path}: may have {MAX_BYTES} bytes at most")
    try:
        return content.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise PrivateFileError(f"{path}: is no text") from None


def write_private(path: Path, text: str) -> None:
    """A new file of mode 0600. Raises FileExistsError and other OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
