"""Recordings in every format with what is true of them: a head that is a known function of time."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acquisition.recording.session_recorder import SessionRecorder
from acquisition.recording.xdf_format import MAGIC, XdfStream, chunk, numeric_samples
from acquisition.signal import EegChunk, FloatArray, HeadsetStatus, StreamInfo

MUSE = ("TP9", "AF7", "AF8", "TP10")
CYTON = ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2")
EPOCH_S = 1_700_000_000.0


def head_uv(times_s: FloatArray, channels: int) -> FloatArray:
    """What the electrodes measure (n_channels, n) at ``times_s``."""
    rows = [
        12 * np.sin(2 * np.pi * 3.1 * times_s + row)
        + 20 * np.sin(2 * np.pi * 9.7 * times_s + 2 * row)
        + 6 * np.sin(2 * np.pi * 17.3 * times_s - row)
        for row in range(channels)
    ]
    return np.stack(rows)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """One recording of a device whose clock says ``rate_hz`` and is off by ``error``.

    ``index`` (n,) are the device's samples that came; ``stamps_s`` (n,) what was written beside them.
    """

    rate_hz: float
    error: float
    index: FloatArray
    stamps_s: FloatArray

    @property
    def times_s(self) -> FloatArray:
        return (self.index - self.index[0]) / (self.rate_hz * (1 + self.error))

    @property
    def span_s(self) -> float:
        return float(self.times_s[-1])


def made(
    rate_hz: float,
    seconds: float,
    *,
    error: float = 0.0,
    gaps: tuple[tuple[float, float], ...] = (),
    lost_packets: tuple[int, ...] = (),
    packet: int = 12,
    jitter_s: float = 0.0,
    seed: int = 0,
) -> Truth:
    """A recording with gaps (begin and length, in seconds) and lost packets (their numbers)."""
    index = np.arange(round(seconds * rate_hz), dtype=np.float64)
    kept = np.ones(len(index), dtype=np.bool_)
    for begin_s, length_s in gaps:
        kept[round(begin_s * rate_hz) : round((begin_s + length_s) * rate_hz)] = False
    for number in lost_packets:
        kept[number * packet : (number + 1) * packet] = False
    index = index[kept]
    exact_s = index / (rate_hz * (1 + error))
    jitter = np.random.default_rng(seed).normal(0, jitter_s, len(index)) if jitter_s else 0.0
    return Truth(rate_hz, error, index, exact_s + jitter)


def muse_csv(path: Path, truth: Truth, *, per_second: float = 1.0) -> Path:
    """As muse-lsl writes it; BlueMuse counts ``per_second`` of 1000."""
    rows = head_uv(truth.times_s, 4)
    stamps = (EPOCH_S + truth.stamps_s) * per_second
    table = np.column_stack([stamps, rows.T, np.zeros(len(stamps))])
    header = "timestamps,TP9,AF7,AF8,TP10,Right AUX"
    np.savetxt(path, table, delimiter=",", header=header, comments="", fmt=["%.6f", *["%.3f"] * 5])
    return path


def mind_monitor_csv(path: Path, truth: Truth) -> Path:
    """As the app writes it: packets of twelve rows with one stamp, and rows that hold an event only."""
    bands = [f"{band}_{name}" for band in ("Delta", "Theta", "Alpha", "Beta", "Gamma") for name in MUSE]
    names = ["TimeStamp", *bands, *(f"RAW_{name}" for name in MUSE), "AUX_RIGHT", "HeadBandOn", "Elements"]
    raw = head_uv(truth.times_s, 4) + 841.4
    packets = truth.index // 12
    stamps_s = np.array([truth.stamps_s[packets == number].max() for number in packets])
    begin = dt.datetime(2024, 1, 1, 10, 0, 0, 500)  # noqa: DTZ001 - the app writes no zone
    lines = [",".join(names)]
    for i, at_s in enumerate(stamps_s):
        when = (begin + dt.timedelta(seconds=float(at_s))).isoformat(" ", "milliseconds")
        if i % 500 == 3:
            lines.append(f"{when}{',' * (len(names) - 1)}/muse/elements/blink")
        cells = [f"{0.01 * (i % 7):.4f}"] * len(bands) + [f"{value:.4f}" for value in raw[:, i]]
        lines.append(",".join([when, *cells, "800.1", "1", ""]))
    path.write_text("\n".join(lines) + "\n")
    return path


def openbci_txt(path: Path, truth: Truth, *, channels: int = 8, step: int = 1, ms: bool = False) -> Path:
    """As the GUI of version 5 and 6 writes it; a Daisy counts in steps of two."""
    exg = [f"EXG Channel {i}" for i in range(channels)]
    rest = ["Accel Channel 0", "Timestamp", "Marker Channel", "Timestamp (Formatted)"]
    lines = [
        "%OpenBCI Raw EXG Data",
        f"%Number of channels = {channels}",
        f"%Sample Rate = {truth.rate_hz:g} Hz",
        "%Board = OpenBCI_GUI$BoardCytonSerial",
        ", ".join(["Sample Index", *exg, *rest]),
    ]
    rows = head_uv(truth.times_s, channels)
    for i, column in enumerate(rows.T):
        number = step * int(truth.index[i]) % 256
        stamp = EPOCH_S + float(truth.stamps_s[i])
        told = f"{1000 * stamp:.0f}" if ms else f"{stamp:.6f}"
        values = ", ".join(f"{value:.4f}" for value in column)
        lines.append(f"{number}, {values}, 0.98, {told}, 0, 12:00:53.329")
    path.write_text("\n".join(lines) + "\n")
    return path


def session_xdf(path: Path, truth: Truth) -> Path:
    """A session by the product's own recorder."""
    recorder = SessionRecorder(path, "2026-01-02T03:04:05Z", {}, on_news=lambda _: None)
    recorder.on_item(HeadsetStatus("streaming", StreamInfo("lsl:Head", "Head", MUSE, truth.rate_hz)))
    rows = head_uv(truth.times_s, 4)
    for begin in range(0, rows.shape[1], 16):
        part = slice(begin, begin + 16)
        recorder.on_item(EegChunk(rows[:, part], 100 + truth.stamps_s[part]))
    assert recorder.close() == path
    return path


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """One stream of an XDF file, as LabRecorder would write it."""

    rate: str
    values: FloatArray
    times_s: FloatArray
    channels: tuple[tuple[str, str, str], ...]
    """Label, unit and type."""
    name: str = "Cap"
    source_id: str = "cap1"
    number: int = 7
    type: str = "EEG"


def write_xdf(path: Path, *streams: Recorded) -> Path:
    """A file without a word of this product in it."""
    data = [MAGIC + chunk(1, b'<?xml version="1.0"?><info><version>1.0</version></info>')]
    for stream in streams:
        rows = "".join(
            f"<channel><label>{label}</label><unit>{unit}</unit><type>{kind}</type></channel>"
            for label, unit, kind in stream.channels
        )
        header = (
            f'<?xml version="1.0"?><info><name>{stream.name}</name><type>{stream.type}</type>'
            f"<channel_count>{len(stream.channels)}</channel_count><nominal_srate>{stream.rate}</nominal_srate>"
            f"<channel_format>double64</channel_format><source_id>{stream.source_id}</source_id>"
            f"<desc><channels>{rows}</channels></desc></info>"
        )
        data.append(chunk(2, struct.pack("<I", stream.number) + header.encode()))
    for stream in streams:
        names = tuple(label for label, _, _ in stream.channels)
        laid = XdfStream(stream.number, stream.name, stream.type, names, "double64")
        for begin in range(0, len(stream.times_s), 64):
            part = slice(begin, begin + 64)
            data.append(numeric_samples(laid, stream.times_s[part], stream.values[:, part]))
    path.write_bytes(b"".join(data))
    return path


def foreign_xdf(path: Path, truth: Truth, *, unit: str = "microvolts", factor: float = 1.0) -> Path:
    """EEG as another program's outlet gave it to LabRecorder."""
    values = head_uv(truth.times_s, 4) * factor
    channels = tuple((name, unit, "EEG") for name in MUSE)
    return write_xdf(path, Recorded(f"{truth.rate_hz:g}", values, 50 + truth.stamps_s, channels))


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One signal of an EDF or BDF: samples (n_records, per_record) in ``unit`` within ``reach``."""

    label: str
    values: FloatArray
    unit: bytes = b"uV"
    reach: float = 100.0
    physical: tuple[float, float] | None = None


def write_edf(
    path: Path,
    signals: tuple[Signal, ...],
    record_s: float,
    *,
    onsets_s: FloatArray | None = None,
    in_pieces: bool = False,
    bdf: bool = False,
) -> Path:
    """The file byte by byte: no library at hand writes one with pauses, or with units of others."""
    top, width = (8_388_607, 3) if bdf else (32_767, 2)
    n_records = len(signals[0].values)
    kind = "BDF" if bdf else "EDF"
    notes = (
        [f"+{onset:.6f}\x14\x14\0".encode().ljust(30, b"\0") for onset in onsets_s]
        if onsets_s is not None
        else []
    )
    labels = [signal.label for signal in signals] + ([f"{kind} Annotations"] if notes else [])
    counts = [signal.values.shape[1] for signal in signals] + ([30 // width] if notes else [])
    ranges = [signal.physical or (-signal.reach, signal.reach) for signal in signals] + (
        [(-1, 1)] if notes else []
    )
    units = [signal.unit for signal in signals] + ([b""] if notes else [])
    version = b"\xffBIOSEMI" if bdf else b"0       "
    reserved = f"{kind}+{'D' if in_pieces else 'C'}" if notes else ("24BIT" if bdf else "")
    fixed = version + b"X X X X".ljust(80) + b"Startdate X X X X".ljust(80) + b"01.01.2410.00.00"
    fixed += str(256 * (len(labels) + 1)).encode().ljust(8) + reserved.encode().ljust(44)
    fixed += (
        str(n_records).encode().ljust(8)
        + f"{record_s:g}".encode().ljust(8)
        + str(len(labels)).encode().ljust(4)
    )
    fields = [
        [label.encode("latin-1").ljust(16) for label in labels],
        [b" " * 80] * len(labels),
        [unit.ljust(8) for unit in units],
        [f"{low:g}".encode().ljust(8) for low, _ in ranges],
        [f"{high:g}".encode().ljust(8) for _, high in ranges],
        [str(-top - 1).encode().ljust(8)] * len(labels),
        [str(top).encode().ljust(8)] * len(labels),
        [b" " * 80] * len(labels),
        [str(count).encode().ljust(8) for count in counts],
        [b" " * 32] * len(labels),
    ]
    data = [fixed, *(field for column in fields for field in column)]
    for record in range(n_records):
        for signal in signals:
            numbers = (signal.values[record] + signal.reach) / (2 * signal.reach) * (2 * top + 1) - top - 1
            whole = np.round(numbers).astype("<i4")
            data.append(whole.view(np.uint8).reshape(-1, 4)[:, :width].tobytes())
        data += notes[record : record + 1]
    path.write_bytes(b"".join(data))
    return path


def edf(path: Path, truth: Truth, *, bdf: bool = False) -> Path:
    """EDF+D of whole seconds: each record says when it began by a better clock than the device's."""
    per_record = round(truth.rate_hz)
    rows = head_uv(truth.times_s, 4).reshape(4, -1, per_record)
    onsets_s = truth.stamps_s.reshape(-1, per_record)[:, 0]
    signals = tuple(Signal(f"EEG {name}", row) for name, row in zip(MUSE, rows, strict=True))
    return write_edf(path, signals, 1.0, onsets_s=onsets_s, in_pieces=True, bdf=bdf)


def bdf(path: Path, truth: Truth) -> Path:
    """The same as BDF+D."""
    return edf(path, truth, bdf=True)


WRITERS: dict[str, Callable[[Path, Truth], Path]] = {
    "muse.csv": muse_csv,
    "mind.csv": mind_monitor_csv,
    "openbci.txt": openbci_txt,
    "session.xdf": session_xdf,
    "foreign.xdf": foreign_xdf,
    "a.edf": edf,
    "a.bdf": bdf,
}
