"""The key of a wearer's recordings: a file of mode 0600, and what deleting it makes unreadable for good."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from acquisition.port import UnknownSourceError

KEY_FILE = "recording.key"
KEY_BYTES = 32
_DIGITS = re.compile(rb"[0-9a-f]{64}\n?")


class RecordingKeyError(UnknownSourceError):
    """There is no key that fits. The message names the key's file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class RecordingKey:
    """32 random bytes and where they lie; ``number`` tells keys apart and says nothing of them."""

    secret: bytes = field(repr=False)
    path: Path

    @property
    def number(self) -> bytes:
        """Eight bytes by which a recording names its key."""
        return hashlib.blake2b(self.secret, digest_size=8, person=b"key number").digest()


def key_path(recording: Path) -> Path:
    """Where the key to a recording lies: beside it, else in the folder above, which is the wearer's."""
    folder = recording.absolute().parent
    beside = folder / KEY_FILE
    return beside if os.path.lexists(beside) else folder.parent / KEY_FILE


def read_key(path: Path) -> RecordingKey:
    """The key in a file, which nobody but its owner may read. Raises ``RecordingKeyError``."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise RecordingKeyError(
            f"the key {path} is not there: what it encrypted can be read by nobody"
        ) from None
    except OSError as error:
        raise RecordingKeyError(f"the key {path} cannot be read: {error.strerror}") from None
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise RecordingKeyError(f"the key {path} must be a regular file")
        if facts.st_mode & 0o077:
            mode = stat.S_IMODE(facts.st_mode)
            raise RecordingKeyError(f"the key {path} can be read by others (mode {mode:04o}): chmod 600 it")
        text = file.read(2 * KEY_BYTES + 2)
    if _DIGITS.fullmatch(text) is None:
        raise RecordingKeyError(f"the key {path} must hold 64 digits 0-9a-f, got {facts.st_size} bytes")
    return RecordingKey(bytes.fromhex(text.decode("ascii").strip()), path)


def made_key(path: Path) -> RecordingKey:
    """The key in a file, made at random where there is none. Raises ``RecordingKeyError``."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        if not os.path.lexists(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_hex(KEY_BYTES).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # engine and player begin at once: whoever comes first
                path.hardlink_to(fresh)
    except OSError as error:
        raise RecordingKeyError(f"the key {path} cannot be made: {error.strerror}") from None
    finally:
        fresh.unlink(missing_ok=True)
    return read_key(path)
