"""Ports of loopback for what a test starts."""

from __future__ import annotations

import os
import random
import re
import socket

FIRST, LAST = 20_000, 32_000
"""Below the ports that the kernel gives to outgoing connections: none of those takes a port away between
the moment it was chosen and the moment it is listened on, or while a server is away and will come back."""
WORKERS = 16
_SHARE = (LAST - FIRST) // WORKERS


class _Ports:
    """Hands out each port of this worker's share once before any comes twice."""

    def __init__(self) -> None:
        worker = re.search(r"\d+$", os.environ.get("PYTEST_XDIST_WORKER", "0"))
        self._first = FIRST + _SHARE * (int(worker[0] if worker else 0) % WORKERS)
        # the system's own randomness: that of the tests begins alike in every worker
        self._place = random.SystemRandom().randrange(_SHARE)

    def row(self, count: int) -> int:
        for _ in range(_SHARE):
            if self._place + count > _SHARE:
                self._place = 0
            first = self._first + self._place
            if all(_is_free(first + more) for more in range(count)):
                self._place += count
                return first
            self._place += 1
        raise OSError(f"no {count} free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_ports = _Ports()


def a_free_port() -> int:
    """A port that nothing listens on, and that no other test is given."""
    return _ports.row(1)


def free_ports_in_a_row(count: int) -> int:
    """The first of so many."""
    return _ports.row(count)
