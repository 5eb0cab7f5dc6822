"""What the wearer says to feel, kept as one JSON object a line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from daemon.messages import LabelCommand


def write_label(path: Path, label: LabelCommand, at: datetime, *, simulated: bool) -> None:
    """Append the label. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = {"at": at, "simulated": simulated, **msgspec.structs.asdict(label)}
    with path.open("ab") as file:
        file.write(msgspec.json.encode(line) + b"\n")
