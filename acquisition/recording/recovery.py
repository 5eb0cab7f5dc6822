"""Mends recordings that a crash or a power cut has left open: nothing that was sealed is lost."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from acquisition.recording.encryption import is_encrypted, unseal
from acquisition.recording.recording_file import PART
from acquisition.recording.recording_key import RecordingKeyError
from acquisition.recording.xdf_format import (
    BOUNDARY_UUID,
    CHECKSUM,
    MAGIC,
    SAMPLES,
    STREAM_FOOTER,
    STREAM_HEADER,
    XdfChunk,
    XdfError,
    XdfStream,
    is_sealed,
    parse_span,
    parse_stream,
    parse_text,
    samples_stream,
    sealed,
    stream_footer,
    walk,
)


@dataclass(frozen=True, slots=True)
class ByteSpan:
    """Bytes ``begin`` to ``end`` of a file: a sealed batch, or a stretch that no checksum vouches for."""

    begin: int
    end: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of a recording: ``lost_bytes`` were torn; ``path`` is None where nothing was recovered.

    ``why`` is empty for one that is being written now, which is left alone.
    """

    path: Path | None
    lost_bytes: int
    why: str


@dataclass
class _Tally:
    count: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    footer: bool = False


@dataclass
class _Contents:
    streams: dict[int, XdfStream] = field(default_factory=dict)
    tallies: dict[int, _Tally] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        return bool(self.tallies) and all(tally.footer for tally in self.tallies.values())


def spans(data: memoryview) -> Iterator[ByteSpan]:
    """The file's batches in order. What is damaged ends where the next batch can be found."""
    begin = len(MAGIC)
    while begin < len(data):
        end = _batch_end(data, begin)
        if end is not None:
            yield ByteSpan(begin, end, True)
            begin = end
            continue
        found = _find(data, begin + 1)
        yield ByteSpan(begin, found, False)
        begin = found


def _batch_end(data: memoryview, begin: int) -> int | None:
    """Where the sealed batch that begins here ends; None if there is none."""
    with contextlib.suppress(XdfError):
        for chunk in walk(data, begin):
            if chunk.tag == CHECKSUM:
                return chunk.end if is_sealed(data, begin, chunk) else None
    return None


def _find(data: memoryview, begin: int) -> int:
    """Where the next boundary chunk begins (a length of one byte, a tag, the identifier), else the end."""
    at = _index(data, BOUNDARY_UUID, begin)
    while at >= 0:
        if bytes(data[at - 4 : at]) == b"\x01\x12\x05\x00" and at - 4 >= begin:
            return at - 4
        at = _index(data, BOUNDARY_UUID, at + 1)
    return len(data)


def _index(data: memoryview, what: bytes, begin: int) -> int:
    whole = data.obj
    if isinstance(whole, mmap.mmap | bytes | bytearray):
        return whole.find(what, begin)
    return bytes(data).find(what, begin)


def recover(part: Path) -> Recovered:
    """Cut off what is torn, leave out what is damaged, close the file and give it its name.

    A recording that another process is still writing is left alone.
    """
    path = part.with_name(part.name.removesuffix(PART))
    fd = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return Recovered(None, 0, "")
        size = os.fstat(fd).st_size
        if size <= len(MAGIC):
            return _hopeless(part, size)
        if is_encrypted(os.pread(fd, 64, 0)):
            return _recover_encrypted(part, fd, size)
        with mmap.mmap(fd, size, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
            found = list(spans(data)) if bytes(data[:4]) == MAGIC else []
            contents = _contents(data, found)
            good = [span for span in found if span.whole]
            kept = good[-1].end if good else 0
            torn_inside = any(not span.whole and span.end < kept for span in found)
            if not contents.streams:
                return _hopeless(part, size)
            if torn_inside:
                _copy(data, good, part.with_name(part.name + ".mended"), contents)
        if torn_inside:
            part.with_name(part.name + ".mended").replace(path)
            part.unlink()
        else:
            os.ftruncate(fd, kept)
            if not contents.closed:
                os.pwrite(fd, _ending(contents), kept)
            os.fsync(fd)
            part.rename(path)
    finally:
        os.close(fd)
    return _done(path, size - sum(span.end - span.begin for span in good) - len(MAGIC))


def _done(path: Path, lost: int) -> Recovered:
    told = f"{path}: recovered after the last session did not end, {lost} bytes were torn"
    return Recovered(path, lost, told)


def _recover_encrypted(part: Path, fd: int, size: int) -> Recovered:
    """What is torn at the end is cut off, and the end is written. Raises ``RecordingKeyError``."""
    path = part.with_name(part.name.removesuffix(PART))
    with mmap.mmap(fd, size, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
        found = unseal(data, path)
    plain = memoryview(found.plain)
    contents = _contents(plain, list(spans(plain)))
    if not contents.streams:
        return _hopeless(part, size)
    os.ftruncate(fd, found.end)
    if not contents.closed:
        os.pwrite(fd, found.sealer.seal(_ending(contents), found.next_number), found.end)
    os.fsync(fd)
    part.rename(path)
    return _done(path, found.lost_bytes)


def recover_all(folder: Path) -> list[Recovered]:
    """Mend every recording that was left open. Never raises for a single file's sake."""
    done: list[Recovered] = []
    for part in sorted(folder.glob(f"*.xdf{PART}")):
        try:
            done.append(recover(part))
        except FileNotFoundError:  # its own session has closed it, or somebody has deleted it
            continue
        except (OSError, XdfError, RecordingKeyError) as error:
            done.append(Recovered(None, 0, f"{part}: could not be recovered: {error}"))
    return done


def _hopeless(part: Path, size: int) -> Recovered:
    broken = part.with_name(part.name.removesuffix(PART) + ".broken")
    part.rename(broken)
    return Recovered(None, size, f"{broken}: nothing could be recovered, its beginning is damaged")


def _copy(data: memoryview, good: list[ByteSpan], to: Path, contents: _Contents) -> None:
    with to.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(MAGIC)
        for span in good:
            file.write(data[span.begin : span.end])
        if not contents.closed:
            file.write(_ending(contents))
        file.flush()
        os.fsync(file.fileno())


def _ending(contents: _Contents) -> bytes:
    footers = [
        stream_footer(number, tally.count, tally.first_s, tally.last_s, recovered=True)
        for number, tally in contents.tallies.items()
        if not tally.footer
    ]
    return sealed(b"".join(footers))


def _contents(data: memoryview, found: list[ByteSpan]) -> _Contents:
    contents = _Contents()
    for span in found:
        if not span.whole:
            continue
        for chunk in walk(data[: span.end], span.begin):
            _note(data, chunk, contents)
    return contents


def _note(data: memoryview, chunk: XdfChunk, contents: _Contents) -> None:
    if chunk.tag == STREAM_HEADER:
        stream = parse_stream(data, chunk)
        contents.streams[stream.number] = stream
        contents.tallies[stream.number] = _Tally()
    elif chunk.tag in (SAMPLES, STREAM_FOOTER):
        number = samples_stream(data, chunk)
        tally, stream_of = contents.tallies.get(number), contents.streams.get(number)
        if tally is None or stream_of is None:
            return
        if chunk.tag == STREAM_FOOTER:
            tally.footer = True
            return
        if stream_of.format == "string":
            lines = parse_text(data, chunk)
            if not lines:
                return
            count, first_s, last_s = len(lines), lines[0][0], lines[-1][0]
        else:
            count, first_s, last_s = parse_span(data, chunk, stream_of)
        tally.first_s = tally.first_s if tally.count else first_s
        tally.count, tally.last_s = tally.count + count, last_s
