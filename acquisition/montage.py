"""Electrode names of the international 10-20 and 10-10 systems: aliases, neighbours and headset layouts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OLD_TO_NEW: Mapping[str, str] = MappingProxyType({"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"})
"""The older names of four temporal electrodes (Jasper 1958) and today's (Klem et al. 1999)."""

NEIGHBOURS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Fp1": ("AF7", "AF3", "F7", "F3"),
        "Fp2": ("AF8", "AF4", "F8", "F4"),
        "F7": ("AF7", "FT7", "F5", "F3"),
        "F8": ("AF8", "FT8", "F6", "F4"),
        "F3": ("F5", "F1", "FC3", "AF3"),
        "F4": ("F6", "F2", "FC4", "AF4"),
        "P7": ("TP9", "TP7", "PO7", "P5", "T7"),
        "P8": ("TP10", "TP8", "PO8", "P6", "T8"),
        "T7": ("TP7", "FT7", "TP9", "C5"),
        "T8": ("TP8", "FT8", "TP10", "C6"),
        "C3": ("C1", "C5", "CP3", "FC3"),
        "C4": ("C2", "C6", "CP4", "FC4"),
        "P3": ("P5", "P1", "CP3", "PO3"),
        "P4": ("P6", "P2", "CP4", "PO4"),
        "O1": ("PO7", "PO3", "Oz"),
        "O2": ("PO8", "PO4", "Oz"),
        "Fz": ("F1", "F2", "FCz", "AFz"),
        "Cz": ("C1", "C2", "FCz", "CPz"),
        "Pz": ("P1", "P2", "POz"),
    }
)
"""Stand-ins for an electrode, nearest first."""

LAYOUTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "muse": ("TP9", "AF7", "AF8", "TP10"),
        "cyton": ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2"),
        "daisy": (
            *("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2"),
            *("F7", "F8", "F3", "F4", "T7", "T8", "P3", "P4"),
        ),
        "1020-19": (
            "Fp1",
            "Fp2",
            "F3",
            "F4",
            "F7",
            "F8",
            "T7",
            "T8",
            "C3",
            "C4",
            "P7",
            "P8",
            "P3",
            "P4",
            "O1",
            "O2",
            "Fz",
            "Cz",
            "Pz",
        ),
    }
)

_PREFIXES = ("EEG ", "EEG-", "EEG.")
_SUFFIXES = ("-REF", "-LE", "-A1", "-A2", "-A1A2", "-M1", "-M2")


def canonical(name: str) -> str:
    """Today's 10-10 name: ``EEG T3-REF`` and ``t3`` both give ``T7``.

    Unknown names only lose their frills.
    """
    text = name.strip().rstrip(".")
    for prefix in _PREFIXES:
        if text.upper().startswith(prefix):
            text = text[len(prefix) :]
    for suffix in _SUFFIXES:
        if text.upper().endswith(suffix):
            text = text[: -len(suffix)]
    text = text.strip()
    letters = text.rstrip("0123456789zZ")
    tail = text[len(letters) :].lower()
    proper = {"FP": "Fp"}.get(letters.upper(), letters.upper() if len(letters) <= 2 else letters)
    text = proper + tail
    return OLD_TO_NEW.get(text, text)
