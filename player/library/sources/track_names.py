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
    """An address without user and password; anything else as it is.

    A password that makes the address none, as one with ``/`` or ``?`` in it, goes up to the last ``@``.
    """
    scheme, found, rest = location.partition("://")
    if not found or "@" not in rest:
        return location
    try:
        parts = urlsplit(location)
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:  # what should be host and port is the beginning of a password
        return f"{scheme}://{rest.rpartition('@')[2]}"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
