"""Small folders in the layout that OpenNeuro's sets of EEG are published in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from acquisition.signal import FloatArray


def write_brainvision(
    path: Path,
    samples_uv: FloatArray,
    rate_hz: float,
    channels: Sequence[str],
    *,
    binary: str = "IEEE_FLOAT_32",
    resolution: float = 1.0,
    vectorized: bool = False,
    unit: str = "\u00b5V",
) -> Path:
    """As Brain Products' own description of the format says."""
    kind = {"IEEE_FLOAT_32": "<f4", "INT_16": "<i2"}[binary]
    values = samples_uv / resolution
    values = (np.round(values) if binary == "INT_16" else values).astype(kind)
    path.with_suffix(".eeg").write_bytes((values if vectorized else values.T).tobytes())
    lines = [
        "Brain Vision Data Exchange Header File Version 1.0",
        "; Data created by nobody",
        "",
        "[Common Infos]",
        "Codepage=UTF-8",
        f"DataFile={path.stem}.eeg",
        f"MarkerFile={path.stem}.vmrk",
        "DataFormat=BINARY",
        f"DataOrientation={'VECTORIZED' if vectorized else 'MULTIPLEXED'}",
        f"NumberOfChannels={len(channels)}",
        f"SamplingInterval={1e6 / rate_hz:g}",
        "",
        "[Binary Infos]",
        f"BinaryFormat={binary}",
        "",
        "[Channel Infos]",
        "; name,reference,resolution,unit",
        *(f"Ch{i}={name},,{resolution:g},{unit}" for i, name in enumerate(channels, 1)),
        "",
        "[Comment]",
        "free text = [of any kind",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    marks = ["Brain Vision Data Exchange Marker File, Version 1.0", "", "[Common Infos]", "Codepage=UTF-8"]
    marks += [
        f"DataFile={path.stem}.eeg",
        "",
        "[Marker Infos]",
        "Mk1=New Segment,,1,1,0,20260101000000000000",
    ]
    path.with_suffix(".vmrk").write_text("\n".join(marks) + "\n", encoding="utf-8")
    return path


def describe(folder: Path, name: str, doi: str = "") -> None:
    """The file that makes a folder one of BIDS."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"Name": name, "BIDSVersion": "1.9.0", "License": "CC0", "DatasetDOI": doi}
    (folder / "dataset_description.json").write_text(json.dumps(about))


def write_tsv(path: Path, rows: Sequence[dict[str, object]]) -> None:
    """A table with what is unknown as ``n/a``."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["\t".join(names), *("\t".join(str(row.get(name, "n/a")) for name in names) for row in rows)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def write_recording(
    folder: Path,
    entities: str,
    samples_uv: FloatArray,
    rate_hz: float,
    channels: Sequence[str],
    events: Sequence[dict[str, object]] = (),
    types: dict[str, str] | None = None,
) -> Path:
    """``entities`` as in ``sub-001_ses-01_task-rest``; the EEG, its channels and its events."""
    parts = [part for part in entities.split("_") if part.startswith(("sub-", "ses-"))]
    place = folder.joinpath(*parts, "eeg")
    place.mkdir(parents=True, exist_ok=True)
    kinds = types or {}
    write_tsv(
        place / f"{entities}_channels.tsv",
        [{"name": name, "type": kinds.get(name, "EEG"), "units": "\u00b5V"} for name in channels],
    )
    if events:
        write_tsv(place / f"{entities}_events.tsv", events)
    return write_brainvision(place / f"{entities}_eeg.vhdr", samples_uv, rate_hz, channels)
