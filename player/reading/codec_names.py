"""What a file calls the codec that nothing here decodes: FFmpeg knows no name for what it does not know."""

from __future__ import annotations

import os
import re
from typing import IO

LOOKED_AT = 4 << 20
"""Of the beginning and of the end: the index of an MP4 file may stand behind the sound."""
_MP4 = re.compile(rb"stsd.{12}([ -~]{4})", re.DOTALL)
_MATROSKA = re.compile(rb"A_[A-Z0-9_/.]{2,30}")
_CAF = re.compile(rb"desc.{16}([ -~]{4})", re.DOTALL)
_AIFC = re.compile(rb"COMM.{22}([ -~]{4})", re.DOTALL)
_WAV = re.compile(rb"fmt .{4}(.{2})", re.DOTALL)


def codec_name(file: IO[bytes]) -> str:
    """Its four letters, its number or its name, as the file has it; "unknown" where none is found."""
    file.seek(0)
    head = file.read(LOOKED_AT)
    if head[:4] in (b"RIFF", b"RF64"):
        found = _WAV.search(head)
        return "unknown" if found is None else f"WAV format 0x{int.from_bytes(found[1], 'little'):04x}"
    patterns = {b"FORM": _AIFC, b"caff": _CAF, b"\x1aE\xdf\xa3": _MATROSKA}
    pattern = patterns.get(head[:4], _MP4)
    found = pattern.search(head)
    if found is None and pattern is _MP4:
        file.seek(max(0, file.seek(0, os.SEEK_END) - LOOKED_AT))
        found = pattern.search(file.read(LOOKED_AT))
    return "unknown" if found is None else found[found.re.groups].decode("ascii").strip()
