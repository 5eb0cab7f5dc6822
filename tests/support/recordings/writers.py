"""Writes a small recording in each format that can be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import edfio
import numpy as np

from acquisition.recording.xdf_format import (
    MAGIC,
    XdfStream,
    chunk,
    numeric_samples,
)
from acquisition.signal import FloatArray
from support.recordings.bids_making import write_brainvision
from support.recordings.session_making import make_session

RATE_HZ = 256.0


Write = Callable[[Path], Path]


def _rows(seconds: float = 4.0, rate_hz: float = RATE_HZ) -> FloatArray:
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.stack([10 * (row + 1) * np.sin(2 * np.pi * 10 * times_s) for row in range(4)])


def muse_csv(folder: Path, rate_hz: float = RATE_HZ) -> Path:
    rows_uv = _rows(4.0, rate_hz)
    stamps_s = 1.6e9 + np.arange(rows_uv.shape[1]) / rate_hz
    table = np.column_stack([stamps_s, rows_uv.T, np.zeros(len(stamps_s))])
    path = folder / "a.csv"
    header = "timestamps,TP9,AF7,AF8,TP10,Right AUX"
    np.savetxt(path, table, delimiter=",", header=header, comments="", fmt="%.6f")
    return path


def mind_monitor(folder: Path) -> Path:
    """Packets of twelve rows with one stamp."""
    rate_hz = 256.0
    raw = _rows(6.0, rate_hz).T + 841.4
    lines = ["TimeStamp,RAW_TP9,RAW_AF7,RAW_AF8,RAW_TP10,AUX_RIGHT,HeadBandOn,Elements"]
    for i, values in enumerate(raw):
        at_s = (i // 12 * 12 + 11) / rate_hz
        cells = ",".join(f"{value:.4f}" for value in values)
        lines.append(f"2024-01-01 10:00:{at_s:06.3f},{cells},800.1,1,")
    path = folder / "mindMonitor.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def openbci_txt(folder: Path) -> Path:
    lines = ["%OpenBCI Raw EXG Data", "%Number of channels = 4", "%Sample Rate = 200 Hz", "Sample Index, EXG"]
    lines += [
        f"{i % 256}, {', '.join(f'{value:.3f}' for value in column)}, 0" for i, column in enumerate(_rows().T)
    ]
    path = folder / "a.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def edf(folder: Path) -> Path:
    path = folder / "a.edf"
    signals = [
        edfio.EdfSignal(
            row, RATE_HZ, label=f"EEG {name}", physical_dimension="uV", physical_range=(-200, 200)
        )
        for row, name in zip(_rows(), ("T3", "T4", "O1", "O2"), strict=True)
    ]
    edfio.Edf(signals).write(path)
    return path


def npz(folder: Path) -> Path:
    path = folder / "a.npz"
    meta = json.dumps({"channels": ["Fp1", "Fp2", "O1", "O2"], "fs": 128, "scale_uV_per_lsb": 0.02})
    part = (_rows(4.0, 128.0) / 0.02).astype(np.int16)
    np.savez(path, S01_rest=part, S01_arith=part, __meta__=np.array(meta))
    return path


def session(folder: Path) -> Path:
    return make_session(folder / "a.xdf")


def foreign_xdf(
    folder: Path, *, unit: str = "microvolts", rate_hz: float = RATE_HZ, type_: str = "EEG"
) -> Path:
    """As LabRecorder would write it: no word of this product in it."""
    import struct

    path = folder / "b.xdf"
    names = ("Fp1", "Fp2", "O1", "O2")
    rows = "".join(f"<channel><label>{name}</label><unit>{unit}</unit></channel>" for name in names)
    header = (
        f'<?xml version="1.0"?><info><name>Cap</name><type>{type_}</type><channel_count>4</channel_count>'
        f"<nominal_srate>{rate_hz}</nominal_srate><channel_format>double64</channel_format>"
        f"<desc><channels>{rows}</channels></desc></info>"
    )
    stream = XdfStream(7, "Cap", type_, names, "double64", rate_hz)
    data = MAGIC + chunk(1, b'<?xml version="1.0"?><info><version>1.0</version></info>')
    data += chunk(2, struct.pack("<I", 7) + header.encode())
    times_s = 10 + np.arange(_rows().shape[1]) / RATE_HZ
    data += numeric_samples(stream, times_s, _rows() * (1e-3 if unit == "millivolts" else 1.0))
    path.write_bytes(data)
    return path


def brainvision(folder: Path) -> Path:
    return write_brainvision(folder / "a.vhdr", _rows(), RATE_HZ, ("Fp1", "Fp2", "O1", "O2"))


WRITERS: dict[str, Write] = {
    "muse": muse_csv,
    "mind_monitor": mind_monitor,
    "openbci": openbci_txt,
    "edf": edf,
    "npz": npz,
    "brainvision": brainvision,
    "session": session,
    "xdf": foreign_xdf,
}
