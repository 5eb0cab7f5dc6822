"""What could be read from: BrainFlow's boards, serial ports, and LSL streams on the network."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

SERIAL_PATTERNS = {
    "linux": ("serial/by-id/*", "ttyUSB*", "ttyACM*", "rfcomm*"),
    "darwin": ("cu.usb*", "cu.wch*", "cu.SLAB*"),
}
LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Board:
    """A board that BrainFlow can read, and what ``--source`` calls it."""

    source: str
    number: int
    rate_hz: float
    channels: tuple[str, ...]
    """10-20 names, or ch1, ch2 .. where the board leaves their places open."""
    extras: tuple[str, ...]
    battery: bool


@dataclass(frozen=True, slots=True)
class LslStream:
    """An LSL stream that answers, and what ``--source`` calls it."""

    source: str
    name: str
    type: str
    channels: int
    rate_hz: float
    host: str


def serial_ports(folder: Path = Path("/dev")) -> list[str]:
    """Ports where a dongle may be; each once, under the name that stays the same."""
    found: dict[Path, str] = {}
    for pattern in SERIAL_PATTERNS.get(sys.platform, ()):
        for path in sorted(folder.glob(pattern)):
            found.setdefault(path.resolve(), str(path))
    return list(found.values())


def boards() -> list[Board]:
    """Every board with EEG channels that this BrainFlow knows."""
    from acquisition.brainflow_source import describe_boards

    return [Board(*row) for row in describe_boards()]


def lsl_streams(scope: str = "machine", look_s: float = LOOK_S) -> list[LslStream]:
    """Streams that answer within ``look_s``."""
    from acquisition.lsl_source import find_streams

    return [LslStream(*row) for row in find_streams(scope, look_s)]
