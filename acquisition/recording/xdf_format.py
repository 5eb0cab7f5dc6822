"""The Extensible Data Format, version 1.0, as bytes: chunks of headers, samples, boundaries and footers.

Specification: https://github.com/sccn/xdf/wiki/Specifications. One kind of chunk is ours: a checksum over all
that was written since the last one. Readers skip kinds they do not know; recovery trusts nothing else.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal
from xml.sax.saxutils import escape, unescape

import numpy as np

from acquisition.signal import FloatArray

MAGIC = b"XDF:"
FILE_HEADER, STREAM_HEADER, SAMPLES, CLOCK_OFFSET, BOUNDARY, STREAM_FOOTER = range(1, 7)
CHECKSUM = 0x4E50
BOUNDARY_UUID = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
MAX_CHUNK_BYTES = 64 * 1024 * 1024

Format = Literal["double64", "float32", "string"]
WIDTHS: dict[Format, str] = {"double64": "<f8", "float32": "<f4"}
_OURS = re.compile(rb"<neuroplayer>(.*?)</neuroplayer>", re.DOTALL)


class XdfError(ValueError):
    """The bytes break the format. The message says where."""


@dataclass(frozen=True, slots=True)
class XdfStream:
    """What a stream header says. ``rate_hz`` 0 stands for irregular; ``extra`` is for this product alone."""

    number: int
    name: str
    type: str
    channels: tuple[str, ...]
    format: Format
    rate_hz: float = 0.0
    unit: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class XdfChunk:
    """One chunk in a buffer: its tag, where it begins and ends, and where its content begins."""

    tag: int
    begin: int
    content: int
    end: int


def chunk(tag: int, content: bytes) -> bytes:
    """A chunk as it stands in the file."""
    return _length(len(content) + 2) + struct.pack("<H", tag) + content


def file_header(extra: dict[str, Any], at: str) -> bytes:
    """The first chunk; ``at`` is the wall-clock time the recording began, RFC 3339."""
    told = f"<version>1.0</version><datetime>{escape(at)}</datetime>{_ours(extra)}"
    xml = f'<?xml version="1.0"?><info>{told}</info>'
    return chunk(FILE_HEADER, xml.encode())


def stream_header(stream: XdfStream, source_id: str = "") -> bytes:
    """What a stream is, in the words LabRecorder uses."""
    rows = "".join(
        f"<channel><label>{escape(name)}</label><unit>{escape(stream.unit)}</unit>"
        f"<type>{escape(stream.type)}</type></channel>"
        for name in stream.channels
    )
    words = {"name": stream.name, "type": stream.type, "format": stream.format, "rate_hz": stream.rate_hz}
    own = {**words, "channels": stream.channels, "unit": stream.unit, "extra": stream.extra}
    xml = (
        f'<?xml version="1.0"?><info><name>{escape(stream.name)}</name><type>{escape(stream.type)}</type>'
        f"<channel_count>{len(stream.channels)}</channel_count><nominal_srate>{stream.rate_hz!r}</nominal_srate>"
        f"<channel_format>{stream.format}</channel_format><source_id>{escape(source_id)}</source_id>"
        f"<desc><channels>{rows}</channels>{_ours(own)}</desc></info>"
    )
    return chunk(STREAM_HEADER, struct.pack("<I", stream.number) + xml.encode())


def numeric_samples(stream: XdfStream, times_s: FloatArray, values: FloatArray) -> bytes:
    """Samples (n_channels, n) with their times (n,)."""
    table = np.empty(len(times_s), dtype=_row(stream))
    table["stamped"], table["time_s"], table["values"] = 8, times_s, values.T
    return chunk(SAMPLES, struct.pack("<I", stream.number) + _length(len(times_s)) + table.tobytes())


def text_samples(stream: XdfStream, times_s: Sequence[float], texts: Sequence[str]) -> bytes:
    """One string a sample."""
    parts = [struct.pack("<I", stream.number), _length(len(texts))]
    for time_s, text in zip(times_s, texts, strict=True):
        data = text.encode(errors="replace")
        parts += [b"\x08", struct.pack("<d", time_s), _length(len(data)), data]
    return chunk(SAMPLES, b"".join(parts))


def clock_offset(stream: XdfStream, at_s: float) -> bytes:
    """All streams of a recording are on the clock of the EEG, so the offset is none."""
    return chunk(CLOCK_OFFSET, struct.pack("<Idd", stream.number, at_s, 0.0))


def stream_footer(number: int, count: int, first_s: float, last_s: float, *, recovered: bool) -> bytes:
    """How much there is in a stream."""
    span_s = last_s - first_s
    rate_hz = (count - 1) / span_s if count > 1 and span_s > 0 else 0.0
    xml = (
        f'<?xml version="1.0"?><info><first_timestamp>{first_s!r}</first_timestamp>'
        f"<last_timestamp>{last_s!r}</last_timestamp><sample_count>{count}</sample_count>"
        f"<measured_srate>{rate_hz!r}</measured_srate><recovered>{str(recovered).lower()}</recovered></info>"
    )
    return chunk(STREAM_FOOTER, struct.pack("<I", number) + xml.encode())


def sealed(chunks: bytes) -> bytes:
    """A batch: a boundary to find it by, the chunks, and the checksum over both."""
    batch = chunk(BOUNDARY, BOUNDARY_UUID) + chunks
    return batch + chunk(CHECKSUM, struct.pack("<II", zlib.crc32(batch), len(batch)))


def walk(data: memoryview, begin: int) -> Iterator[XdfChunk]:
    """The chunks from ``begin`` on. Raises ``XdfError`` where the structure breaks or the file ends early."""
    at, end = begin, len(data)
    while at < end:
        width = data[at]
        if width not in (1, 4, 8) or at + 1 + width + 2 > end:
            raise XdfError(f"no chunk begins at byte {at}")
        length = int.from_bytes(data[at + 1 : at + 1 + width], "little")
        head = at + 1 + width
        if not 2 <= length <= MAX_CHUNK_BYTES or head + length > end:
            raise XdfError(f"a chunk of {length} bytes at byte {at}")
        yield XdfChunk(int.from_bytes(data[head : head + 2], "little"), at, head + 2, head + length)
        at = head + length


def is_sealed(data: memoryview, begin: int, seal: XdfChunk) -> bool:
    """Whether the checksum chunk ``seal`` fits what stands between ``begin`` and it."""
    if seal.end - seal.content != 8:
        return False
    crc, length = struct.unpack_from("<II", data, seal.content)
    fits = length == seal.begin - begin
    return bool(fits) and crc == zlib.crc32(data[begin : seal.begin])


def parse_ours(data: memoryview, found: XdfChunk) -> dict[str, Any] | None:
    """What this product wrote into a header; None in a header of anybody else's. Raises ``XdfError``."""
    match = _OURS.search(bytes(data[found.content : found.end]))
    if match is None:
        return None
    try:
        words = json.loads(unescape(match[1].decode()))
    except (ValueError, RecursionError) as error:
        raise XdfError(f"the header at byte {found.begin}: {error}") from error
    return words if isinstance(words, dict) else None


def parse_stream(data: memoryview, found: XdfChunk) -> XdfStream:
    """The stream of a header of ours. Raises ``XdfError``."""
    words = parse_ours(data, found)
    try:
        if words is None or words["format"] not in (*WIDTHS, "string"):
            raise XdfError(f"the stream at byte {found.begin} is not one of this product")
        (number,) = struct.unpack_from("<I", data, found.content)
        return XdfStream(
            number,
            str(words["name"]),
            str(words["type"]),
            tuple(str(name) for name in words["channels"]),
            words["format"],
            float(words["rate_hz"]),
            str(words["unit"]),
            dict(words["extra"]),
        )
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise XdfError(f"the stream header at byte {found.begin}: {error}") from error


def samples_stream(data: memoryview, found: XdfChunk) -> int:
    """The number of the stream that a samples chunk belongs to."""
    return int.from_bytes(data[found.content : found.content + 4], "little")


def parse_numeric(data: memoryview, found: XdfChunk, stream: XdfStream) -> tuple[FloatArray, FloatArray]:
    """Times (n,) and values (n_channels, n) of a samples chunk of ours. Raises ``XdfError``."""
    count, at = _read_length(data, found.content + 4)
    row = _row(stream)
    if at + count * row.itemsize != found.end:
        raise XdfError(f"{count} samples of {stream.name} do not fit the chunk at byte {found.begin}")
    table = np.frombuffer(data, dtype=row, count=count, offset=at)
    if (table["stamped"] != 8).any():
        raise XdfError(f"samples without a time at byte {found.begin}")
    # copies: one sample alone is contiguous as it lies, and a view keeps a mapped file from being closed
    return table["time_s"].astype(np.float64), table["values"].T.astype(np.float64, order="C")


def parse_span(data: memoryview, found: XdfChunk, stream: XdfStream) -> tuple[int, float, float]:
    """How many samples a numeric chunk of ours has, and its first and last time. Raises ``XdfError``."""
    count, at = _read_length(data, found.content + 4)
    size = _row(stream).itemsize
    if at + count * size != found.end or not count:
        raise XdfError(f"{count} samples of {stream.name} do not fit the chunk at byte {found.begin}")
    (first_s,) = struct.unpack_from("<d", data, at + 1)
    (last_s,) = struct.unpack_from("<d", data, at + 1 + (count - 1) * size)
    return count, first_s, last_s


def parse_text(data: memoryview, found: XdfChunk) -> list[tuple[float, str]]:
    """Times and strings of a samples chunk of ours. Raises ``XdfError``."""
    count, at = _read_length(data, found.content + 4)
    samples: list[tuple[float, str]] = []
    try:
        for _ in range(count):
            stamped, time_s = struct.unpack_from("<Bd", data, at)
            length, begin = _read_length(data, at + 9)
            at = begin + length
            if stamped != 8 or at > found.end:
                raise XdfError(f"a text that does not fit the chunk at byte {found.begin}")
            samples.append((time_s, bytes(data[begin:at]).decode("utf-8", "replace")))
    except (struct.error, IndexError) as error:
        raise XdfError(f"the texts at byte {found.begin}: {error}") from error
    return samples


def _row(stream: XdfStream) -> np.dtype[Any]:
    return _row_of(WIDTHS[stream.format], len(stream.channels))


@lru_cache(maxsize=64)
def _row_of(width: str, channels: int) -> np.dtype[Any]:
    return np.dtype([("stamped", "u1"), ("time_s", "<f8"), ("values", width, (channels,))])


def _ours(words: dict[str, Any]) -> str:
    return f"<neuroplayer>{escape(json.dumps(words, allow_nan=False))}</neuroplayer>"


def _length(value: int) -> bytes:
    width = 1 if value < 256 else 4
    return bytes([width]) + value.to_bytes(width, "little")


def _read_length(data: memoryview, at: int) -> tuple[int, int]:
    width = data[at] if at < len(data) else 0
    if width not in (1, 4, 8):
        raise XdfError(f"no length at byte {at}")
    return int.from_bytes(data[at + 1 : at + 1 + width], "little"), at + 1 + width
