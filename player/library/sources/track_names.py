"""Short names for paths and addresses."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit, urlunsplit


def track_id(location: str) -> str:
    """A short stable name for a path or an address, without what stands for a user and a password in it."""
    return hashlib.blake2b(
        without_login(location).encode("utf-8", "surrogateescape"), digest_size=8
    ).hexdigest()


def without_login(location: str) -> str:
    """An address without user and password; anything else as it is."""
    if "://" not in location:
        return location
    parts = urlsplit(location)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
