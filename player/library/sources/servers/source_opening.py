"""Which kind of source a file names: another kind is another row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

from player.library.sources.servers.source import MusicSource


def _subsonic(path: Path) -> MusicSource:
    from player.library.sources.servers.subsonic_account import read_account
    from player.library.sources.servers.subsonic_source import SubsonicSource

    return SubsonicSource(read_account(path))


KINDS: Mapping[str, Callable[[Path], MusicSource]] = {".subsonic": _subsonic}
"""By the ending of the file, one of ``SOURCE_SUFFIXES``."""


def open_source(root: str | Path) -> MusicSource:
    """The source that a file names. Raises PrivateFileError and AccountError, each one line."""
    return KINDS[PurePath(root).suffix.lower()](Path(root))
