"""What is read of the recordings that other people's programs wrote, ours beside MNE's or pyxdf's.

``python bench/acquisition/field_recordings.py [FOLDER]..`` reads every recording of the folders (default:
those beside the checkout) and counts windows and estimates as a session makes them. Writes
bench/results/acquisition_field.json and .md.
"""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "bench" / "inference")]

import numpy as np  # noqa: E402
from measuring import write as write_results  # noqa: E402

from acquisition.port import UnknownSourceError  # noqa: E402
from acquisition.readers import open_recording  # noqa: E402
from support.reading_states import windows_of  # noqa: E402

SHARED = ROOT / ".." / "shared"
FOLDERS = tuple(SHARED / name for name in ("field", "eeg/eegmat", "eeg/muse", "eeg/openbci"))
SUFFIXES = {".edf", ".bdf", ".xdf", ".csv", ".txt"}
NOT_EEG = {"folder_names.txt"}


def ours(path: Path) -> dict[str, Any]:
    """What this product reads."""
    try:
        found = open_recording(path)
        windows = windows_of(str(path))
    except UnknownSourceError as error:
        return {"refused": str(error).removeprefix(f"{path}: ")}
    return {
        "channels": len(found.info.channels),
        "rate_hz": found.info.rate_hz,
        "seconds": round(found.duration_s, 2),
        "gaps_s": [round(end - begin, 2) for begin, end in found.gaps_s],
        "windows": len(windows.ended_s),
        "estimates": len(windows.read_s),
        "told": found.info.device,
    }


def theirs(path: Path) -> dict[str, Any]:
    """What MNE reads of an EDF or BDF file, by its ending, and pyxdf of XDF; neither reads the others."""
    try:
        if path.suffix in {".edf", ".bdf"}:
            return _mne(path)
        if path.suffix == ".xdf":
            return _pyxdf(path)
    except (ValueError, RuntimeError, OSError, IndexError, KeyError) as error:
        return {"refused": type(error).__name__}
    return {}


def _mne(path: Path) -> dict[str, Any]:
    import mne

    read = mne.io.read_raw_edf if path.suffix == ".edf" else mne.io.read_raw_bdf
    raw = read(path, preload=True, verbose="error")
    gaps = [round(float(note["duration"]), 2) for note in raw.annotations if "BAD" in note["description"]]
    return {
        "reader": "MNE",
        "channels": len(raw.ch_names),
        "rate_hz": float(raw.info["sfreq"]),
        "seconds": round(raw.n_times / float(raw.info["sfreq"]), 2),
        "gaps_s": gaps,
    }


def _pyxdf(path: Path) -> dict[str, Any]:
    import pyxdf

    streams, _ = pyxdf.load_xdf(str(path))
    eeg = [s for s in streams if s["info"]["type"][0] == "EEG" and len(s["time_stamps"])]
    stamps_s = np.concatenate([stream["time_stamps"] for stream in eeg])
    return {
        "reader": f"pyxdf, {len(eeg)} stream{'s' if len(eeg) > 1 else ''}",
        "channels": eeg[0]["time_series"].shape[1],
        "rate_hz": round(float(eeg[0]["info"]["effective_srate"]), 2),
        "seconds": round(float(np.ptp(stamps_s)), 2),
        "gaps_s": [],
    }


def measure(folders: list[Path]) -> dict[str, Any]:
    """Every recording, by its name."""
    paths = sorted(path for folder in folders for path in folder.iterdir() if path.suffix in SUFFIXES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        return {p.name: {"ours": ours(p), "theirs": theirs(p)} for p in paths if p.name not in NOT_EEG}


def lines(found: dict[str, Any]) -> list[str]:
    """The table in words."""
    rows = [
        "Windows of 2 s, two a second; no rest is asked for, so that all but the first four may be read.",
        "",
        "| file | channels | rate Hz | seconds | gaps s | estimates of windows | MNE or pyxdf |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, both in found.items():
        mine, other = both["ours"], both["theirs"]
        if "refused" in mine:
            rows.append(f"| {name} | refused: {mine['refused']} | | | | | {_other(other)} |")
            continue
        gaps = ", ".join(f"{gap:g}" for gap in mine["gaps_s"][:4]) or "-"
        read = f"{mine['estimates']} of {mine['windows']}"
        told = mine["told"].partition("(left out")[2]
        channels = f"{mine['channels']}" + (f" (left out{told}" if told else "")
        cells = (name, channels, f"{mine['rate_hz']:g}", f"{mine['seconds']:g}", gaps, read, _other(other))
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _other(other: dict[str, Any]) -> str:
    if not other:
        return "-"
    if "refused" in other:
        return f"refused: {other['refused']}"
    gaps = f", gaps {other['gaps_s']}" if other["gaps_s"] else ""
    return f"{other['reader']}: {other['channels']} at {other['rate_hz']:g}, {other['seconds']:g} s{gaps}"


if __name__ == "__main__":
    result = measure(
        [Path(name) for name in sys.argv[1:]] or [folder for folder in FOLDERS if folder.is_dir()]
    )
    write_results("acquisition_field", "Recordings of others", result, lines(result))
