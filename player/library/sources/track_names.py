"""Short names for paths and addresses."""

from __future__ import annotations

import hashlib

from player.location import without_login


def track_id(location: str) -> str:
    """A short stable name for a path or an address, without what stands for a user and a password in it."""
    return hashlib.blake2b(
        without_login(location).encode("utf-8", "surrogateescape"), digest_size=8
    ).hexdigest()
