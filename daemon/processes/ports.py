"""Ports for what this product starts by itself, so that two starts at one moment do not choose the same."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterable

LOOPBACK = "127.0.0.1"
_claims: dict[int, socket.socket] = {}
"""Held until this process ends, however it ends."""


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a listener could bind there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def claim(ports: Iterable[int], host: str = LOOPBACK) -> int | None:
    """The first of these that is free and that no other start of this product has chosen, if any."""
    return next((port for port in ports if is_free(port, host) and _claimed(port)), None)


def _claimed(port: int) -> bool:
    """A socket in Linux's abstract namespace says who was first: like ports it is one a network namespace,
    nothing of it lies on the disk, and the kernel drops it with the process. Elsewhere nothing is claimed.
    """
    if not sys.platform.startswith("linux"):
        return True
    if port in _claims:
        return False
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        holder.bind(f"\0neuroplayer-port-{port}")
    except OSError:
        holder.close()
        return False
    _claims[port] = holder
    return True
