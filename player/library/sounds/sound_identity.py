"""A short name for what a file sounds like: one for all copies, wherever they lie and however tagged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import IO

from player.reading.sound_opening import encoded_sound
from player.reading.sound_reader import UnreadableAudioError

BEGIN_BYTES = 128 << 10
"""So much of the encoded sound tells nearly all recordings apart; where it does not, all of it is read."""
WHOLE_BYTES = 512 << 20
CHUNK_BYTES = 1 << 16


def beginning_of(file: IO[bytes]) -> str:
    """A name for the beginning of the sound of an open file. Raises OSError."""
    return _digest(_first(_from_first_sound(_sound(file)), BEGIN_BYTES))


def whole_of(file: IO[bytes]) -> str:
    """A name for all of the sound of an open file. Raises OSError."""
    return _digest(_first(_sound(file), WHOLE_BYTES))


def sound_id(beginning: str, whole: str = "") -> str:
    """The name of a sound; ``whole`` only for one whose beginning another one shares."""
    return _digest([beginning.encode(), whole.encode()])


def _sound(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    try:
        pieces = encoded_sound(file)
        first = next(pieces, None)
    except UnreadableAudioError:
        first = None
    if first is not None:
        yield first
        yield from pieces
    else:  # read by another decoder, which does not show what it decodes
        file.seek(0)
        yield from iter(lambda: file.read(CHUNK_BYTES), b"")


def _from_first_sound(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Without zeros at the beginning: half of all recordings begin with the same silence."""
    for piece in pieces:
        sound = piece.lstrip(b"\0")
        if sound:
            yield sound
            break
    yield from pieces


def _first(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:limit]
        limit -= len(piece)
        if limit <= 0:
            return


def _digest(pieces: Iterator[bytes] | list[bytes]) -> str:
    state = hashlib.blake2b(digest_size=8)
    for piece in pieces:
        state.update(piece)
    return state.hexdigest()
