"""Tells a recording's format by its content and opens it."""

from __future__ import annotations

from pathlib import Path

from acquisition.port import UnknownSourceError
from acquisition.readers.recording import MAX_TEXT_BYTES, Recording
from acquisition.recording.input_file import check_file

KINDS = "XDF, muse-lsl CSV, OpenBCI GUI text, EDF/BDF, npz people set"


def open_recording(location: str | Path) -> Recording:
    """Open ``FILE`` or ``FILE#PART``.

    Raises ``UnknownSourceError`` naming the file, the rule and the value.
    """
    text, _, fragment = str(location).partition("#")
    path = check_file(Path(text).expanduser())
    suffix = path.suffix.lower()
    if suffix in {".edf", ".bdf"}:
        from acquisition.readers.edf import read_edf

        return read_edf(path)
    if suffix in {".xdf", ".xdfz"}:
        from acquisition.readers.xdf import read_xdf

        return read_xdf(path)
    if suffix == ".npz":
        from acquisition.readers.npz_people import read_npz_people

        return read_npz_people(path, fragment)
    return _read_text(path)


def _read_text(path: Path) -> Recording:
    from acquisition.readers.muse_csv import is_muse_csv, read_muse_csv
    from acquisition.readers.openbci_txt import is_openbci_txt, read_openbci_txt

    check_file(path, MAX_TEXT_BYTES)
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline(4096)
    try:
        if is_muse_csv(first):
            return read_muse_csv(path)
        if is_openbci_txt(first):
            return read_openbci_txt(path)
    except ValueError as error:
        raise UnknownSourceError(f"{path}: damaged table of numbers: {error}") from error
    raise UnknownSourceError(f"{path}: not one of the known kinds of recording ({KINDS})")
