"""Finds the music files under a folder and opens them so that no name can lead outside."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO

AUDIO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("3g2", "3ga", "3gp", "aa3", "aac", "ac3", "adts", "aif", "aifc", "aiff", "amr", "ape", "asf", "au"),
        *(
            "avi",
            "awb",
            "bwf",
            "caf",
            "dff",
            "dsf",
            "dts",
            "dtshd",
            "eac3",
            "ec3",
            "f4a",
            "f4b",
            "flac",
            "flv",
        ),
        *("fla", "gsm", "iff", "loas", "m2a", "m4a", "m4b", "m4r", "m4v", "mac", "mka", "mkv", "mlp"),
        *("mov", "mp1", "mp2", "mp3", "mp4", "mp+", "mpa", "mpc", "mpeg", "mpg", "mpga", "mpp", "nist"),
        *(
            "oga",
            "ogg",
            "oggflac",
            "ogm",
            "ogv",
            "ogx",
            "oma",
            "opus",
            "qt",
            "rf64",
            "shn",
            "snd",
            "spx",
            "tak",
        ),
        *("thd", "truehd", "tta", "voc", "vob", "w64", "wav", "wave", "weba", "webm", "wma", "wmv", "wv"),
        *("xwma",),
    )
)
PLAYLIST_SUFFIXES = frozenset({".m3u", ".m3u8", ".pls", ".xspf"})
SOURCE_SUFFIXES = frozenset({".subsonic"})
"""Of files that name a server; what each is, stands in ``sources/servers/source_opening.py``."""
UNPLAYABLE_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("aa", "aax", "aaxc", "asx", "cda", "it", "kar", "m4p", "mid", "midi", "mod", "nsf", "ra", "ram"),
        *("rm", "rmi", "s3m", "sid", "smil", "spc", "wpl", "wvc", "wvx", "xm", "zpl"),
    )
)
"""Music, and lists of it, that nothing here can play."""
MAX_FILE_BYTES = 2 << 30
MAX_DEPTH = 128
MAX_FILES = 500_000


class OutsideFolderError(OSError):
    """The path is not a regular file under the folder it was found in."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file under a folder; ``path`` is absolute and free of symbolic links."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """Something that looks like music but is not played, and why."""

    path: str
    reason: str


def is_audio(name: str) -> bool:
    """True for names that end like music."""
    return suffix_of(name) in AUDIO_SUFFIXES


def suffix_of(name: str) -> str:
    """The last suffix of a file's name, in lower case, with its dot."""
    # a tenth of the time of PurePath, once for every file there is
    stem, dot, ending = name.rpartition(".")
    return dot + ending.lower() if stem else ""


def walk(root: Path, wanted: Callable[[str], bool] = is_audio) -> Iterator[FoundFile | RefusedFile]:
    """Every file under ``root`` with a wanted name, in the order of names; hidden ones are left out.

    Yields a refusal for what is not a readable regular file under the root: links that lead out, linked
    folders, FIFOs, devices, sockets, files over 2 GiB, names that are not UTF-8, folders nested too deeply,
    music of a kind that cannot be played. Raises OSError if ``root`` cannot be listed.
    """
    real_root = os.path.realpath(root)
    stack = [(real_root, 0)]
    seen = 0
    while stack:
        folder, depth = stack.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            if folder == real_root:
                raise
            yield RefusedFile(_shown(folder), f"the folder cannot be listed: {error.strerror}")
            continue
        folders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
                continue
            item = _found(entry, wanted, real_root)
            if item is not None:
                yield item
                seen += 1
                if seen >= MAX_FILES:
                    yield RefusedFile(_shown(folder), f"more than {MAX_FILES} files; the rest is left out")
                    return
        if depth < MAX_DEPTH:
            stack.extend((path, depth + 1) for path in reversed(folders))
        else:
            why = f"the folder lies more than {MAX_DEPTH} folders deep"
            yield from (RefusedFile(_shown(path), why) for path in folders)


def _found(
    entry: os.DirEntry[str], wanted: Callable[[str], bool], real_root: str
) -> FoundFile | RefusedFile | None:
    """What is to be said of an entry that is no folder; None for what is no music."""
    if entry.is_symlink() and _leads_to_folder(entry):
        return RefusedFile(_shown(entry.path), _why_not_followed(entry.path, real_root))
    if wanted(entry.name):
        return _judge(entry, real_root)
    suffix = suffix_of(entry.name)
    if suffix in UNPLAYABLE_SUFFIXES:
        return RefusedFile(_shown(entry.path), f"{suffix} files cannot be played here")
    return None


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a ring of links
        return False


def _why_not_followed(path: str, real_root: str) -> str:
    if is_under(os.path.realpath(path), real_root):
        return "is a link to a folder that is read where it lies"
    return "is a link to a folder outside of the music folder: name that folder as music, too, to hear it"


def _judge(entry: os.DirEntry[str], real_root: str) -> FoundFile | RefusedFile:
    path = shown = entry.path
    try:
        shown.encode()
        if entry.is_symlink():
            path = os.path.realpath(path, strict=True)
            status = Path(path).lstat()
        else:
            status = entry.stat(follow_symlinks=False)
    except UnicodeEncodeError:
        return RefusedFile(_shown(path), "the name is not UTF-8")
    except FileNotFoundError:
        return RefusedFile(shown, "is a link to a file that is not there")
    except OSError as error:
        return RefusedFile(shown, f"cannot be read: {error.strerror}")
    # what is no link lies under the root, for it was found there through no link
    if path is not shown and not is_under(path, real_root):
        return RefusedFile(shown, "the link leads outside the music folder")
    if not stat.S_ISREG(status.st_mode):
        return RefusedFile(shown, f"is no regular file but {_kind(status.st_mode)}")
    if status.st_size == 0:
        return RefusedFile(shown, "is empty")
    if status.st_size > MAX_FILE_BYTES:
        return RefusedFile(shown, f"is larger than {MAX_FILE_BYTES >> 30} GiB")
    return FoundFile(path, status.st_size, status.st_mtime_ns)


def is_under(path: str, real_root: str) -> bool:
    """True if ``path`` lies inside ``real_root``; both must be free of links."""
    return os.path.commonpath([path, real_root]) == real_root


def distinct_roots(folders: Iterable[Path]) -> tuple[str, ...]:
    """Real paths without those that lie under another one."""
    real = sorted(
        {os.path.realpath(folder) for folder in folders}, key=lambda path: (path.count(os.sep), path)
    )
    kept: list[str] = []
    for path in real:
        if not any(is_under(path, root) for root in kept):
            kept.append(path)
    return tuple(kept)


def is_source(root: str | Path) -> bool:
    """True where a root is no folder and no playlist but names a server."""
    return PurePath(root).suffix.lower() in SOURCE_SUFFIXES


def folder_of(root: str) -> str:
    """The folder that a root's files must lie under: of a playlist, the one it is in."""
    named = PurePath(root).suffix.lower() in PLAYLIST_SUFFIXES | SOURCE_SUFFIXES
    return str(PurePath(root).parent) if named else root


def open_under(root: str | Path, path: str | Path) -> IO[bytes]:
    """Open a regular file under ``root`` for reading, following no symbolic link on the way.

    Each folder is opened in turn from its parent (``openat``), so nothing swapped in meanwhile can lead
    outside. Raises OutsideFolderError for anything but a regular file under the root, OSError otherwise.
    """
    real_root = os.path.realpath(root)
    real_path = os.path.realpath(path)
    if not is_under(real_path, real_root) or real_path == real_root:
        raise OutsideFolderError(f"{_shown(str(path))} is not under {_shown(str(root))}")
    parts = PurePath(real_path).relative_to(real_root).parts
    folder = os.open(real_root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = inner
        # non-blocking, or opening a FIFO would wait for a writer
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        opened = os.open(parts[-1], flags, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise OutsideFolderError(f"{_shown(str(path))} is no regular file")
    return os.fdopen(opened, "rb")


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFIFO: "a named pipe",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFSOCK: "a socket",
        stat.S_IFDIR: "a folder",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


def _shown(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")
