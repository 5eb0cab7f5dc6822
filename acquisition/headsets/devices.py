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
DONGLE = ("0403", "6015")
"""USB vendor and product of the FTDI chip in OpenBCI's dongle, and in other things."""
DONGLE_NAMES = ("cu.usbserial-DM*", "cu.usbserial-DN*", "cu.usbserial-DP*")
"""Where no USB numbers can be read: the serial numbers with which OpenBCI's dongles begin."""


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


def openbci_dongle(folder: Path = Path("/dev"), classes: Path = Path("/sys/class/tty")) -> str | None:
    """The first serial port that looks like OpenBCI's dongle. Nothing is opened."""
    if sys.platform == "darwin":
        return next((str(path) for name in DONGLE_NAMES for path in sorted(folder.glob(name))), None)
    for port in serial_ports(folder):
        if _usb_ids(classes / Path(port).resolve().name / "device") == DONGLE:
            return str(Path(port).resolve())
    return None


def _usb_ids(device: Path) -> tuple[str, str] | None:
    """Vendor and product of the USB device that a serial port of Linux hangs on."""
    place = device.resolve()
    for above in (place, *list(place.parents)[:3]):
        try:
            return _word(above / "idVendor"), _word(above / "idProduct")
        except (OSError, UnicodeDecodeError):
            continue
    return None


def _word(path: Path) -> str:
    return path.read_text().strip().lower()


def boards() -> list[Board]:
    """Every board with EEG channels that this BrainFlow knows."""
    from acquisition.headsets.brainflow_source import describe_boards

    return [Board(*row) for row in describe_boards()]


def lsl_streams(scope: str = "machine", look_s: float = LOOK_S) -> list[LslStream]:
    """Streams that answer within ``look_s``."""
    from acquisition.lsl.discovery import find_streams

    return [LslStream(*row) for row in find_streams(scope, look_s)]
