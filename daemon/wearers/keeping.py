"""Whether a role may still keep anything of its wearer."""

from __future__ import annotations

from daemon.settings import Settings
from daemon.wearers.wearer import wearer_of


class Keeping:
    """On from the start, and off for good once the wearer is forgotten: the session goes on as a guest's."""

    def __init__(self, *, on: bool = True) -> None:
        self.on = on

    def stop(self) -> None:
        """From now on nothing is written."""
        self.on = False


def keeping_of(settings: Settings) -> Keeping:
    """Off for a role that died and was started again after its wearer was forgotten.

    Each session begins by making the wearer's folder: where that is gone, a person has deleted it.
    """
    return Keeping(on=not settings.again or wearer_of(settings).folder.is_dir())
