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


def looks_chained(file: IO[bytes]) -> bool:
    """True where the last page is not of a stream that began at the beginning; ``is_chained`` is sure."""
    begun, _ = _first_streams(file)
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - NEAR))
    ended = PAGE.findall(file.read(NEAR))
    return bool(begun and ended) and ended[-1] not in begun


def is_chained(file: IO[bytes]) -> bool:
    """True where another stream begins behind the first; reads the whole file unless it is."""
    begun, behind = _first_streams(file)
    return bool(begun) and next_link(file, behind) is not None


def _first_streams(file: IO[bytes]) -> tuple[set[bytes], int]:
    """Serial numbers of those that begin together at the beginning; the byte behind their first pages."""
    file.seek(0)
    head = file.read(NEAR)
    page = FIRST_PAGE.search(head)
    begun, behind = set(), 0
    while page is not None:
        begun.add(page[1])
        segments = head[page.start() + 26 : page.start() + 27]
        lacing = page.start() + 27
        behind = lacing + sum(segments) + sum(head[lacing : lacing + sum(segments)])
        page = FIRST_PAGE.match(head, behind)
    return begun, behind


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
