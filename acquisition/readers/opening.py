"""Tells a recording's format by its content and opens it."""

from __future__ import annotations

from pathlib import Path

from acquisition.grid.recording import MAX_TEXT_BYTES, Recording
from acquisition.port import UnknownSourceError
from acquisition.readers.edf_records import BDF_MAGIC
from acquisition.recording.encryption import MAGIC as ENCRYPTED
from acquisition.recording.input_file import check_file
from acquisition.recording.xdf_format import MAGIC as XDF_MAGIC

KINDS = "XDF, muse-lsl CSV, Mind Monitor CSV, OpenBCI GUI text, EDF/BDF, BrainVision, npz people set"
_BEGINNINGS = (
    (BDF_MAGIC, ".bdf"),
    (b"0       ", ".edf"),
    (XDF_MAGIC, ".xdf"),
    (ENCRYPTED, ".xdf"),
    (b"PK\x03\x04", ".npz"),
    (b"Brain Vision", ".vhdr"),
)
FIRST_LINE_CHARS = 16_384


def open_recording(location: str | Path) -> Recording:
    """Open ``FILE`` or ``FILE#PART``.

    Raises ``UnknownSourceError`` naming the file, the rule and the value.
    """
    path, fragment = _taken_apart(str(location))
    kind = _kind(check_file(path))
    if kind in {".edf", ".bdf"}:
        from acquisition.readers.edf import read_edf

        return read_edf(path)
    if kind == ".vhdr":
        from acquisition.readers.brainvision import read_brainvision

        return read_brainvision(path)
    if kind in {".xdf", ".xdfz"}:
        from acquisition.readers.xdf import read_xdf

        return read_xdf(path, fragment)
    if kind == ".npz":
        from acquisition.readers.npz_people import read_npz_people

        return read_npz_people(path, fragment)
    return _read_text(path)


def _taken_apart(location: str) -> tuple[Path, str]:
    """File and part. A file may have ``#`` in its name: the longest name that is a file is the file."""
    whole = Path(location).expanduser()
    if "#" not in location or whole.exists():
        return whole, ""
    places = [place for place, letter in enumerate(location) if letter == "#"]
    for place in reversed(places):
        path = Path(location[:place]).expanduser()
        if path.is_file():
            return path, location[place + 1 :]
    return Path(location[: places[0]]).expanduser(), location[places[0] + 1 :]


def _kind(path: Path) -> str:
    """The format by the first bytes, whatever the name; by the name where they tell nothing."""
    with path.open("rb") as file:
        begin = file.read(16)
    by_content = next((kind for magic, kind in _BEGINNINGS if begin.startswith(magic)), "")
    return by_content or path.suffix.lower()


def _read_text(path: Path) -> Recording:
    from acquisition.readers.muse_csv import is_mind_monitor, is_muse_csv, read_mind_monitor, read_muse_csv
    from acquisition.readers.openbci_txt import is_openbci_txt, read_openbci_txt

    check_file(path, MAX_TEXT_BYTES)
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline(FIRST_LINE_CHARS)
    try:
        if is_muse_csv(first):
            return read_muse_csv(path)
        if is_mind_monitor(first):
            return read_mind_monitor(path)
        if is_openbci_txt(first):
            return read_openbci_txt(path)
    except ValueError as error:
        raise UnknownSourceError(f"{path}: damaged table of numbers: {error}") from error
    raise UnknownSourceError(f"{path}: not one of the known kinds of recording ({KINDS})")
