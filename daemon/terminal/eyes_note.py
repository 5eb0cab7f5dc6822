"""What a terminal says of the wearer's eyes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def eyes_note(signal: Mapping[str, Any]) -> str | None:
    """That the eyes are not as at rest, which alone moves alpha; None where they are, or unknown."""
    now, rest = signal.get("eyes", "unknown"), signal.get("rest_eyes", "unknown")
    if "unknown" in (now, rest) or now == rest:
        return None
    reads = "calm" if now == "closed" else "engaged"
    return f"eyes {now}, but {rest} at rest: that alone may read as {reads}"
