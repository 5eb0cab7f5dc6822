"""A host and a port as a person types them: ``HOST:PORT``, ``HOST``, ``PORT`` or ``[::1]:PORT``."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit


class PlaceError(ValueError):
    """No host and port. The message says the rule."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens, or is to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """True where nobody but this machine comes."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_place(text: str, default: Place) -> Place:
    """What is not said is the default's. Raises PlaceError."""
    rule = f"must be HOST:PORT, HOST or PORT (1 to 65535), got {text!r:.120}"
    if not text:
        return default
    if text.isdecimal():
        text = f":{text}"
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise PlaceError(rule) from None
    strange = parts.path or parts.query or parts.fragment or "@" in text or any(c.isspace() for c in text)
    if strange or port == 0 or (host is None and port is None):
        raise PlaceError(rule)
    return Place(host or default.host, port or default.port)
