"""The three montages that ship, with the electrodes of other headsets that may stand in."""

from __future__ import annotations

from dataclasses import dataclass

from acquisition.montage import LAYOUTS, NEIGHBOURS


@dataclass(frozen=True, slots=True)
class ShippedMontage:
    """A network's name, its electrodes and who may stand in for them."""

    name: str
    title: str
    channels: tuple[str, ...]
    substitutes: dict[str, tuple[str, ...]]


def _neighbours(channels: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """An electrode's nearest neighbours, but none that the montage has itself."""
    return {
        channel: tuple(near for near in NEIGHBOURS.get(channel, ())[:2] if near not in channels)
        for channel in channels
    }


MUSE4 = ShippedMontage(
    "calm-engaged-muse4",
    "4 electrodes, as on a Muse",
    ("Fp1", "Fp2", "P7", "P8"),
    {
        "Fp1": ("AF7", "AF3", "F7"),
        "Fp2": ("AF8", "AF4", "F8"),
        "P7": ("TP9", "TP7", "PO7", "T7"),
        "P8": ("TP10", "TP8", "PO8", "T8"),
    },
)
CYTON8 = ShippedMontage(
    "calm-engaged-cyton8",
    "8 electrodes, as on an OpenBCI Cyton",
    LAYOUTS["cyton"],
    _neighbours(LAYOUTS["cyton"]),
)
FULL19 = ShippedMontage(
    "calm-engaged-full19",
    "19 electrodes of the 10-20 system",
    LAYOUTS["1020-19"],
    _neighbours(LAYOUTS["1020-19"]),
)
SHIPPED = (MUSE4, CYTON8, FULL19)
