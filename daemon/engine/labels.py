"""What the wearer says to feel, kept as one JSON object a line."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import msgspec

from daemon.mqtt.codec import MessageError
from daemon.mqtt.commands import LabelCommand

MAX_BYTES = 8 * 1024 * 1024
"""Whoever may send commands may send labels: they never fill the disk."""


def write_label(path: Path, label: LabelCommand, at: datetime, *, simulated: bool) -> None:
    """Append the label to a file for its owner only. Raises ``OSError``; ``MessageError`` when it is full."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    line = {"at": at, "simulated": simulated, **msgspec.structs.asdict(label)}
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "ab") as file:
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            raise MessageError(f"{path.name} has reached {MAX_BYTES >> 20} MiB: no more labels are kept")
        file.write(msgspec.json.encode(line) + b"\n")
