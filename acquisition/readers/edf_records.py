"""EDF, EDF+, BDF and BDF+ as bytes: the header, when each record began, and one signal at a time.

Only the header and the signal that is asked for are brought into memory. Specifications:
https://www.edfplus.info/specs and https://www.biosemi.com/faq/file_format.htm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from acquisition.signal import FloatArray

BDF_MAGIC = b"\xffBIOSEMI"
FIXED_BYTES = 256
_FIELDS = {
    "label": 16,
    "transducer": 80,
    "unit": 8,
    "physical_min": 8,
    "physical_max": 8,
    "digital_min": 8,
    "digital_max": 8,
    "filter": 80,
    "count": 8,
    "reserved": 32,
}
_ONSET = re.compile(rb"\x00*([+-]\d+(?:\.\d*)?)(?:\x15[^\x14\x00]*)?\x14")
MAX_SIGNALS = 4096


class EdfError(ValueError):
    """The bytes are no EDF or BDF. The message names field, rule and value."""


@dataclass(frozen=True, slots=True)
class EdfSignal:
    """One signal: ``count`` samples in each record, ``place`` samples behind the record's begin.

    A sample stands for ``offset + gain * number`` of its unit; ``gain`` is 0 where the header gives no range.
    """

    label: str
    unit: str
    rate_hz: float
    place: int
    count: int
    gain: float
    offset: float

    @property
    def is_annotations(self) -> bool:
        return self.label in ("EDF Annotations", "BDF Annotations")


class EdfRecords:
    """One opened file. Raises ``EdfError`` and ``OSError``."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            fixed = file.read(FIXED_BYTES)
            self.is_bdf = fixed[:8] == BDF_MAGIC
            if not self.is_bdf and fixed[:8].strip(b" \0") != b"0":
                raise EdfError(f"the version must be 0 or BIOSEMI, got {_text(fixed[:8])!r}")
            n_signals = _whole(fixed[252:256], "number of signals")
            if not 1 <= n_signals <= MAX_SIGNALS:
                raise EdfError(f"the number of signals must lie inside 1..{MAX_SIGNALS}, got {n_signals}")
            described = file.read(FIXED_BYTES * n_signals)
        if len(described) < FIXED_BYTES * n_signals:
            raise EdfError("the header is cut short")
        self.in_pieces = _text(fixed[192:236])[3:5] == "+D"
        self.record_s = _number(fixed[244:252], "duration of a record")
        self.signals = _signals(described, n_signals, self.record_s)
        self._width = 3 if self.is_bdf else 2
        self._per_record = sum(signal.count for signal in self.signals)
        begin = FIXED_BYTES * (n_signals + 1)
        size = max(0, path.stat().st_size - begin)
        self.n_records = size // (self._width * self._per_record) if self._per_record else 0
        if not self.n_records:
            raise EdfError("there is no whole record of samples")
        shape = (self.n_records, self._per_record * self._width)
        self._records = np.memmap(path, dtype=np.uint8, mode="r", offset=begin, shape=shape)

    def values(self, signal: EdfSignal) -> FloatArray:
        """The signal's samples (n_records * count,) in its unit."""
        raw = self._bytes(signal)
        if self.is_bdf:
            wide = np.zeros((raw.shape[0], signal.count, 4), dtype=np.uint8)
            wide[:, :, 1:] = raw.reshape(raw.shape[0], signal.count, 3)
            numbers = wide.view("<i4").reshape(-1) >> 8
        else:
            numbers = np.ascontiguousarray(raw).view("<i2").reshape(-1)
        return np.asarray(numbers * signal.gain + signal.offset, dtype=np.float64)

    def onsets_s(self) -> FloatArray | None:
        """When each record (n_records,) began, by its own annotation; None where not all have one."""
        keeper = next((signal for signal in self.signals if signal.is_annotations), None)
        if keeper is None:
            return None
        found = [_ONSET.match(row.tobytes()) for row in self._bytes(keeper)]
        if any(match is None for match in found):
            return None
        return np.array([float(match[1]) for match in found if match is not None])

    def _bytes(self, signal: EdfSignal) -> np.ndarray:
        part = slice(signal.place * self._width, (signal.place + signal.count) * self._width)
        return self._records[:, part]


def _signals(described: bytes, n_signals: int, record_s: float) -> tuple[EdfSignal, ...]:
    columns: dict[str, list[bytes]] = {}
    at = 0
    for name, width in _FIELDS.items():
        edges = range(at, at + width * n_signals + 1, width)
        columns[name] = [described[begin:end] for begin, end in pairwise(edges)]
        at += width * n_signals
    signals: list[EdfSignal] = []
    place = 0
    for i in range(n_signals):
        count = _whole(columns["count"][i], "samples of a record")
        if count < 0:
            raise EdfError(f"the samples of a record must not be negative, got {count}")
        gain, offset = _scale(*(columns[name][i] for name in list(_FIELDS)[3:7]))
        signals.append(
            EdfSignal(
                _text(columns["label"][i]),
                _text(columns["unit"][i]),
                count / record_s if record_s > 0 else 0.0,
                place,
                count,
                gain,
                offset,
            )
        )
        place += count
    return tuple(signals)


def _scale(low: bytes, high: bytes, digital_low: bytes, digital_high: bytes) -> tuple[float, float]:
    try:
        least, most, first, last = (
            _number(field, "range") for field in (low, high, digital_low, digital_high)
        )
    except EdfError:
        return 0.0, 0.0
    if last == first:
        return 0.0, 0.0
    gain = (most - least) / (last - first)
    return gain, least - gain * first


def _text(field: bytes) -> str:
    """UTF-8 where it is that, else Latin-1: the micro sign comes as either."""
    field = field.strip(b" \0")
    try:
        return field.decode("utf-8")
    except UnicodeDecodeError:
        return field.decode("latin-1")


def _number(field: bytes, what: str) -> float:
    text = _text(field).replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        raise EdfError(f"the {what} must be a number, got {text!r}") from None
    if not np.isfinite(value):
        raise EdfError(f"the {what} must be finite, got {text!r}")
    return value


def _whole(field: bytes, what: str) -> int:
    value = _number(field, what)
    if value != int(value):
        raise EdfError(f"the {what} must be a whole number, got {value:g}")
    return int(value)
