"""BrainVision recordings: a header (.vhdr) that names the file of samples beside it."""

from __future__ import annotations

import configparser
from pathlib import Path

import numpy as np

from acquisition.eeg_rows import Channel, choose_eeg, left_out_note
from acquisition.grid.even_grid import lay_evenly
from acquisition.grid.recording import MAX_TEXT_BYTES, Measured, Recording, check_rate, check_samples
from acquisition.port import UnknownSourceError
from acquisition.recording.input_file import check_file
from acquisition.signal import FloatArray
from acquisition.units import in_uv

FORMATS = {"INT_16": "<i2", "INT_32": "<i4", "IEEE_FLOAT_32": "<f4", "IEEE_FLOAT_64": "<f8"}


def read_brainvision(path: Path) -> Recording:
    """Read the EEG a header describes. Raises ``UnknownSourceError`` naming file, key and rule."""
    try:
        return lay_evenly(_read(path))
    except UnknownSourceError:
        raise
    except (configparser.Error, KeyError, ValueError, ArithmeticError, OSError) as error:
        why = " ".join(str(error).split())
        raise UnknownSourceError(f"{path}: not a readable BrainVision header: {why}") from error


def _read(path: Path) -> Measured:
    header = _header(path)
    common = header["Common Infos"]
    n_channels = int(common["NumberOfChannels"])
    if not 1 <= n_channels <= len(header["Channel Infos"]):
        raise UnknownSourceError(f"{path}: NumberOfChannels must count [Channel Infos], got {n_channels}")
    rate_hz = check_rate(path, 1e6 / float(common["SamplingInterval"]))
    described = [_channel(header["Channel Infos"][f"Ch{number + 1}"]) for number in range(n_channels)]
    chosen = choose_eeg([channel for channel, _ in described])
    if not chosen.rows:
        units = ", ".join(chosen.bad_units) or "none"
        raise UnknownSourceError(f"{path}: no EEG channel in a unit of voltage (units: {units})")
    rows = list(chosen.rows)
    factors = np.array([described[row][1] for row in rows]) * np.array(chosen.uv_per_unit)
    samples = _samples(path, header, n_channels)[rows]
    check_samples(path, len(rows), samples.shape[1])
    samples_uv = in_uv(samples, factors[:, np.newaxis])
    return Measured(
        path, f"BrainVision file{left_out_note(chosen.left_out)}", chosen.names, (rate_hz,), samples_uv
    )


def _header(path: Path) -> configparser.ConfigParser:
    check_file(path, MAX_TEXT_BYTES)
    raw = path.read_bytes()
    text = raw.decode("utf-8-sig") if b"UTF-8" in raw else raw.decode("latin-1")
    # the first line names the format, and [Comment] at the end is free text
    body = text.partition("\n")[2].partition("[Comment]")[0]
    parser = configparser.ConfigParser(interpolation=None, strict=False, comment_prefixes=(";",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(body)
    return parser


def _channel(line: str) -> tuple[Channel, float]:
    """``name,reference,resolution,unit``; a comma in a name is written as \\1."""
    name, _, resolution, unit = [*line.split(","), "", "", ""][:4]
    return Channel(name.replace("\\1", ","), unit), float(resolution or 1.0)


def _samples(path: Path, header: configparser.ConfigParser, n_channels: int) -> FloatArray:
    common = header["Common Infos"]
    if common.get("DataFormat", "BINARY") != "BINARY":
        raise UnknownSourceError(f"{path}: DataFormat must be BINARY, got {common['DataFormat']}")
    kind = header["Binary Infos"]["BinaryFormat"] if header.has_section("Binary Infos") else "INT_16"
    if kind not in FORMATS:
        raise UnknownSourceError(f"{path}: BinaryFormat must be one of {', '.join(FORMATS)}, got {kind:.40}")
    data = path.parent / common["DataFile"].replace("$b", path.stem)
    if data.resolve().parent != path.resolve().parent:
        raise UnknownSourceError(f"{path}: DataFile must lie beside the header, got {common['DataFile']:.80}")
    check_file(data)
    values = np.fromfile(data, dtype=FORMATS[kind])
    whole = values[: len(values) - len(values) % n_channels].astype(np.float64)
    vectorized = common.get("DataOrientation", "MULTIPLEXED") == "VECTORIZED"
    return whole.reshape(n_channels, -1) if vectorized else whole.reshape(-1, n_channels).T
