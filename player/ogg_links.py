"""The links of a chained Ogg file: one whole stream behind another (RFC 3533), as ``cat`` makes them."""

from __future__ import annotations

import os
import re
from typing import IO

NEAR = 65_536
"""A page has at most 65 307 bytes."""
SCAN_BYTES = 1 << 20
OVERLAP = 32
FIRST_PAGE = re.compile(rb"OggS\x00[\x02\x03\x06\x07]\x00{8}(.{4})\x00{4}", re.DOTALL)
"""Begin of stream; its granule position and page number are 0. The group is the stream's serial number."""
PAGE = re.compile(rb"OggS\x00[\x00-\x07].{8}(.{4})", re.DOTALL)


def is_chained(file: IO[bytes]) -> bool:
    """True where the last page belongs to a stream that did not begin at the beginning of the file."""
    file.seek(0)
    begun = set(FIRST_PAGE.findall(file.read(NEAR)))
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - NEAR))
    ended = PAGE.findall(file.read(NEAR))
    return bool(begun and ended) and ended[-1] not in begun


def next_link(file: IO[bytes], after: int) -> int | None:
    """Where the next stream begins behind the byte ``after``; None if there is none.

    Streams that begin together (sound beside pictures) are one link: the first of their pages is found.
    """
    file.seek(after)
    at, held = after, b""
    while data := file.read(SCAN_BYTES):
        held += data
        found = FIRST_PAGE.search(held)
        if found is not None:
            return at + found.start()
        at += max(0, len(held) - OVERLAP)
        held = held[-OVERLAP:]
    return None
