"""What a file says of itself before a sample is decoded: its length, its tags, the loudness they promise."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import IO

from player.library.sources.foreign_text import number
from player.library.sources.mood_tags import mood_of_tags
from player.library.store.rows import Header
from player.location import without_secrets
from player.reading.sound_opening import open_sound

MAX_DURATION_S = 48 * 3600.0
LEAST_BITS_A_SECOND = 500.0
"""A header that promises more seconds than this many bits each can hold is not believed."""
REPLAYGAIN_LUFS = -18.0
R128_LUFS = -23.0
_NUMBER = re.compile(r"\s*0*(\d{1,3})(?!\d)")
LOUDNESS_LUFS = (-45.0, 0.0)
"""What a recording can be; tags that come to anything else are not believed."""


def read_header(file: IO[bytes], path: str, size: int) -> Header:
    """The header of an open file of ``size`` bytes. Raises UnreadableAudioError."""
    with open_sound(file) as reader:
        facts = reader.facts()
    believable = facts.duration_s <= min(MAX_DURATION_S, size * 8 / LEAST_BITS_A_SECOND)
    loudness_lufs = tagged_loudness_lufs(facts.tags)
    return Header(
        duration_s=facts.duration_s if believable else 0.0,
        title=one_line(facts.tags.get("title", "")) or one_line(PurePath(path).stem),
        artist=one_line(_first(facts.tags, ("artist", "album_artist", "composer"))),
        tagged=mood_of_tags(facts.tags),
        album=one_line(facts.tags.get("album", "")),
        album_artist=one_line(_first(facts.tags, ("album_artist", "albumartist"))),
        part=part_number(facts.tags),
        loudness_lufs=loudness_lufs,
        true_peak_dbtp=None if loudness_lufs is None else _tagged_peak_dbtp(facts.tags),
    )


def tagged_loudness_lufs(tags: Mapping[str, str]) -> float | None:
    """The loudness that a track's ReplayGain or R128 tag comes to; None without a sensible one.

    ``tags`` with keys in lower case. ReplayGain 2 brings a track to -18 LUFS, R128 (in 256ths) to -23.
    """
    gain_db = number(tags.get("replaygain_track_gain", "").lower().removesuffix("db"))
    loudness_lufs = REPLAYGAIN_LUFS - gain_db
    if math.isnan(gain_db):
        loudness_lufs = R128_LUFS - number(tags.get("r128_track_gain")) / 256
    return _believed(loudness_lufs)


def believed_loudness_lufs(gain_db: float) -> float | None:
    """The loudness that a track's ReplayGain in dB comes to; None for NaN and what cannot be."""
    return _believed(REPLAYGAIN_LUFS - gain_db)


def _believed(loudness_lufs: float) -> float | None:
    low, high = LOUDNESS_LUFS
    return loudness_lufs if low <= loudness_lufs <= high else None


def part_number(tags: Mapping[str, str]) -> int:
    """The place in the album, 1000 times the disc's number (1 where none is said) and the track's; 0 without.

    ``tags`` with keys in lower case; ``3/12`` and ``03`` are 3.
    """
    track = _place(_first(tags, ("track", "tracknumber")))
    disc = _place(_first(tags, ("disc", "discnumber"))) or 1
    return 1000 * disc + track if track else 0


def _place(text: str) -> int:
    found = _NUMBER.match(text)
    return int(found[1]) if found else 0


def _tagged_peak_dbtp(tags: Mapping[str, str]) -> float | None:
    peak = number(tags.get("replaygain_track_peak"))
    return 20 * math.log10(peak) if 1e-4 < peak < 4 else None


def _first(tags: Mapping[str, str], names: Sequence[str]) -> str:
    return next((tags[name] for name in names if tags.get(name)), "")


def one_line(text: str) -> str:
    """One printable line: tags come from strangers and end up in terminals, pages and messages."""
    return without_secrets(" ".join("".join(c if c.isprintable() else " " for c in text).split()))[:200]
