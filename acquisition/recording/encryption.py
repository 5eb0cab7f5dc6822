"""Recordings that only their key opens: AES-256-GCM, one authenticated record a batch, by ``cryptography``.

A file begins with a head (magic, the key's number, a salt), from whose salt and the wearer's key its own
key is derived. Each record carries its number in clear; head and number are authenticated with it, so that
none can be changed, moved, left out or put in unnoticed. What was written before a crash opens like all else.
"""

from __future__ import annotations

import base64
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acquisition.recording.recording_key import RecordingKey, RecordingKeyError, key_path, read_key

MAGIC = b"NPCRYPT1"
_HEAD_BYTES = len(MAGIC) + 8 + 16
_RECORD = struct.Struct("<4sQI")
_MARK = b"NPr\x01"
_NONCE_BYTES, _TAG_BYTES = 12, 16
_DAMAGE = b"\0\0\0\0"
"""Stands for what could not be opened: no batch of XDF begins so."""


class Sealer:
    """Encrypts the batches of one file, which begins with ``head``. Raises ``RecordingKeyError``."""

    def __init__(self, key: RecordingKey, head: bytes = b"") -> None:
        self.head = head or MAGIC + key.number + os.urandom(16)
        self._cipher = _cipher(key, self.head)

    def seal(self, batch: bytes, number: int) -> bytes:
        """The record of this number; the same one may be sealed again, its nonce is another."""
        nonce = os.urandom(_NONCE_BYTES)
        size = _NONCE_BYTES + len(batch) + _TAG_BYTES
        front = _RECORD.pack(_MARK, number, size)
        sealed: bytes = self._cipher.encrypt(nonce, batch, self.head + front)
        return front + nonce + sealed

    def opened(self, front: bytes, body: bytes) -> bytes | None:
        """What a record holds; None where it was changed."""
        from cryptography.exceptions import InvalidTag

        try:
            batch: bytes = self._cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], self.head + front)
        except InvalidTag:
            return None
        return batch


@dataclass(frozen=True, slots=True)
class Unsealed:
    """``plain`` as it would have been written without a key; ``end`` of the last whole record in the file,
    ``next_number`` of the record that may follow, ``lost_bytes`` that could not be opened.
    """

    plain: bytes
    sealer: Sealer
    end: int
    next_number: int
    lost_bytes: int


def is_encrypted(begin: bytes) -> bool:
    """Whether a file that begins so needs a key."""
    return begin.startswith(MAGIC)


def unseal(data: memoryview, recording: Path) -> Unsealed:
    """All of a file that the key beside it opens, in memory. Raises ``RecordingKeyError``."""
    try:
        key = read_key(key_path(recording))
        head = bytes(data[:_HEAD_BYTES])
        if len(head) < _HEAD_BYTES or head[len(MAGIC) : len(MAGIC) + 8] != key.number:
            raise RecordingKeyError(f"the key {key.path} is another one than it was encrypted with")
        sealer = Sealer(key, head)
    except RecordingKeyError as error:
        raise RecordingKeyError(f"{recording}: is encrypted, and {error}") from None
    return _unsealed(data, sealer)


def _unsealed(data: memoryview, sealer: Sealer) -> Unsealed:
    whole = bytes(data)
    parts: list[bytes] = []
    at = end = _HEAD_BYTES
    awaited = lost_bytes = 0
    while at + _RECORD.size <= len(whole):
        front = whole[at : at + _RECORD.size]
        mark, number, size = _RECORD.unpack(front)
        behind = at + _RECORD.size + size
        batch = None
        if mark == _MARK and number >= awaited and size >= _NONCE_BYTES + _TAG_BYTES and behind <= len(whole):
            batch = sealer.opened(front, whole[at + _RECORD.size : behind])
        if batch is None:
            found = whole.find(_MARK, at + 1)
            behind = found if found >= 0 else len(whole)
            lost_bytes += behind - at
            at = behind
            continue
        if number > awaited:
            parts.append(_DAMAGE)
        parts.append(batch)
        awaited, at, end = number + 1, behind, behind
    return Unsealed(b"".join(parts), sealer, end, awaited, lost_bytes + len(whole) - at)


def line_sealer(key: RecordingKey, name: str) -> Callable[[str], str]:
    """Encrypts lines of a text that lies beside a recording under this name."""
    cipher, about = _cipher(key, b"lines"), name.encode()

    def seal(line: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + cipher.encrypt(nonce, line.encode(), about)).decode("ascii")

    return seal


def line_opener(path: Path) -> Callable[[str], str]:
    """Opens lines of such a text; one that is not encrypted stays as it is. Raises ``RecordingKeyError``."""
    made: list[Any] = []

    def opened(line: str) -> str:
        from cryptography.exceptions import InvalidTag

        if line.startswith("{"):
            return line
        if not made:
            made.append(_cipher(read_key(key_path(path)), b"lines"))
        whole = base64.b64decode(line.strip(), validate=True)
        try:
            plain: bytes = made[0].decrypt(whole[:_NONCE_BYTES], whole[_NONCE_BYTES:], path.name.encode())
        except InvalidTag:
            raise RecordingKeyError(f"{path}: a line was changed, or encrypted with another key") from None
        return plain.decode()

    return opened


def _cipher(key: RecordingKey, salt: bytes) -> Any:
    """Each file, and the lines of all texts, have a key of their own."""
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    except ImportError as error:
        raise RecordingKeyError(f"encryption needs the package cryptography ({error})") from None
    derived = HKDF(SHA256(), 32, salt, b"neuroplayer recording").derive(key.secret)
    return AESGCM(derived)
