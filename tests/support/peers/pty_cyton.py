"""An OpenBCI Cyton behind a pseudo terminal: the driver cannot tell it from a dongle.

As a script it is the board: it prints the port's name, answers the firmware's commands and streams 33-byte
packets (OpenBCI Cyton data format). SIGUSR1 makes it fall silent or go on, killing it is pulling the dongle.
"""

from __future__ import annotations

import math
import os
import pty
import select
import signal
import sys
import time
import tty
from pathlib import Path
from typing import Self

from support.child_script import ChildScript

RATE_HZ = 250.0
UV_PER_COUNT = 4.5 / (2**23 - 1) / 24 * 1e6
LEAD_OFF_HZ = 31.25
BANNER = b"OpenBCI V3 8-16 channel\r\nOn Board ADS1299 Device ID: 0x3E\r\nFirmware: v3.1.2\r\n$$$"


class PtyCyton(ChildScript):
    """The board. ``link`` is a steady name for its port over restarts."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.link = folder / "ttyCyton"

    def start(self, *extra: str) -> Self:
        self._start(__file__, str(self.link), *extra)
        return self

    def stop(self) -> None:
        super().stop()
        self.link.unlink(missing_ok=True)


def channel_uv(row: int, n: int) -> float:
    """A 10 Hz sine, larger from row to row."""
    return 5.0 * (row + 1) * math.sin(2 * math.pi * 10 * n / RATE_HZ)


class _Board:
    def __init__(self, drop: set[int], ohm: float) -> None:
        self.streaming, self.silent, self.sent = False, False, 0
        self.drop, self.ohm = drop, ohm
        self.lead_off: set[int] = set()
        self.typed = b""

    def hear(self, data: bytes) -> bytes:
        """Obey; returns what the firmware answers."""
        answer = b""
        for byte in data:
            self.typed = (self.typed + bytes([byte]))[-8:]
            letter = chr(byte)
            if letter == "v":
                answer += BANNER
            elif letter in "bs":
                self.streaming = letter == "b"
            elif letter == "Z" and len(self.typed) >= 5 and self.typed[-5:-4] == b"z":
                row = int(self.typed[-4:-3]) - 1
                on = b"1" in self.typed[-3:-1]
                (self.lead_off.add if on else self.lead_off.discard)(row)
                if not self.streaming:
                    answer += b"Success: Lead off set for %d$$$" % (row + 1)
        return answer

    def packet(self) -> bytes:
        n = self.sent
        body = b""
        for row in range(8):
            uv = channel_uv(row, n)
            if row in self.lead_off:
                # a 6 nA square wave through electrode and 2.2 kOhm, as its 31.25 Hz first harmonic
                amplitude_uv = 6e-9 * (self.ohm + 2200.0) * 1e6
                uv += amplitude_uv * math.sin(2 * math.pi * LEAD_OFF_HZ * n / RATE_HZ)
            body += round(uv / UV_PER_COUNT).to_bytes(3, "big", signed=True)
        return b"\xa0" + bytes([n % 256]) + body + (n % 100).to_bytes(2, "big") * 3 + b"\xc0"


def _serve(link: str, drop: set[int], ohm: float, rate_hz: float) -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    Path(link).symlink_to(os.ttyname(slave))
    board = _Board(drop, ohm)

    def hush(*_: object) -> None:
        board.silent = not board.silent

    signal.signal(signal.SIGUSR1, hush)
    print("ready", flush=True)  # noqa: T201 - the parent waits for it
    begin = time.monotonic()
    while True:
        ready, _, _ = select.select([master], [], [], 0.01)
        if ready and (answer := board.hear(os.read(master, 256))):
            os.write(master, answer)
        if not board.streaming:
            begin = time.monotonic() - board.sent / rate_hz
            continue
        while board.sent < (time.monotonic() - begin) * rate_hz:
            if not board.silent and board.sent not in board.drop:
                os.write(master, board.packet())
            board.sent += 1


if __name__ == "__main__":
    drops = set(range(*map(int, sys.argv[2].split("-")))) if len(sys.argv) > 2 else set()
    electrode_ohm = float(sys.argv[3]) if len(sys.argv) > 3 else 10_000.0
    hurry = float(sys.argv[4]) if len(sys.argv) > 4 else 1.0
    _serve(sys.argv[1], drops, electrode_ohm, hurry * RATE_HZ)
