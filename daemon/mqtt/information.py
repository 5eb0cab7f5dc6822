"""What a role says of itself: versions, what it obeys and can do. No name of the machine, and no path."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import datetime
from importlib import metadata
from typing import Any

from daemon import __version__
from daemon.mqtt.documents import Info

PACKAGE = "neuroplayer"


def installed_version() -> str:
    """What lies on the disk now, which an upgrade may have made another than what runs."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return __version__


def info_document(at: datetime, commands: Sequence[str], *, simulated: bool, **known: Any) -> Info:
    """The document; ``known`` are its fields that this role knows."""
    nothing = {"headset": None, "rate_hz": None, "channels": None, "model": None}
    fields: dict[str, Any] = {**nothing, "policies": (), "targets": (), **known}
    return Info(
        at=at,
        simulated=simulated,
        version=__version__,
        installed=installed_version(),
        system=f"{platform.system()} {platform.machine()}",
        commands=list(commands),
        **fields | {"policies": list(fields["policies"]), "targets": list(fields["targets"])},
    )
