"""The wearer: a person by name, and the one folder in which everything that is kept of them lies."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daemon import places
from daemon.settings import GUEST, Settings
from player.location import quoted

FOLDER = "wearers"
RULE = "must be 1 to 64 of the characters a-z, 0-9, _ and -, with a letter or digit among them"
_NAME = re.compile(r"(?=.*[a-z0-9])[a-z0-9_-]{1,64}")


class WearerError(ValueError):
    """A wearer's name breaks the rule. The message names both."""


def checked_wearer(name: str) -> str:
    """The name itself, if a folder may bear it. Raises ``WearerError``."""
    if name.startswith(f"{GUEST}-"):
        raise WearerError(f"wearer {quoted(name)}: names that begin with {GUEST}- are kept for guests")
    if _NAME.fullmatch(name) is None:
        raise WearerError(f"wearer {quoted(name)} {RULE}")
    return name


@dataclass(frozen=True, slots=True)
class Wearer:
    """One wearer on one machine. What is not the wearer's lies in ``state``, shared by all."""

    name: str
    state: Path

    @property
    def folder(self) -> Path:
        """Everything of this wearer's and nothing of anybody else's."""
        return self.state / FOLDER / self.name

    @property
    def baselines(self) -> Path:
        """Guided rests."""
        return self.folder / "baselines"

    @property
    def labels(self) -> Path:
        """What the wearer said to feel."""
        return self.folder / "labels.jsonl"

    @property
    def recordings(self) -> Path:
        """Recorded sessions, the consents to them, and what the player decided in them."""
        return self.folder / "recordings"

    @property
    def history(self) -> Path:
        """The sessions that the page shows."""
        return self.folder / "history"

    @property
    def log(self) -> Path:
        """What the roles say while the terminal is drawn on."""
        return self.folder / places.LOG_FILE

    @property
    def networks(self) -> tuple[Path, Path, Path]:
        """What the wearer chose, the networks fitted to the wearer, and those that all wearers share."""
        own = self.folder / "models"
        return own, own / "personalized", self.state / "models"

    @property
    def valence(self) -> Path:
        """What the calibration of pleasant against unpleasant has learnt, where it beat chance."""
        return self.folder / "models" / "valence.json"

    def decisions(self, recording: str) -> Path:
        """Where the player writes down what its chooser is asked in the session of that name."""
        return self.recordings / f"{recording}.decisions.jsonl"


def wearer_of(settings: Settings) -> Wearer:
    """Who wears the headset in this session: whoever is named, else the one the node is named after."""
    name = f"{GUEST}-{settings.node}" if is_guest(settings) else settings.wearer or settings.node
    return Wearer(name, Path(settings.state_dir))


def leave_no_trace(settings: Settings) -> None:
    """Delete what a guest's session kept while it lasted; anybody else's is left alone."""
    if is_guest(settings):
        shutil.rmtree(wearer_of(settings).folder, ignore_errors=True)


def wearer_of_file(path: Path, state: Path) -> Wearer:
    """Whose file it is; one that lies elsewhere is the default wearer's."""
    parts = path.absolute().parts
    theirs = (state / FOLDER).absolute().parts
    found = parts[len(theirs)] if parts[: len(theirs)] == theirs and len(parts) > len(theirs) else ""
    return Wearer(found if _NAME.fullmatch(found) else Settings().node, state)


def is_guest(settings: Settings) -> bool:
    """Whether nothing of the session is kept once it has ended."""
    return settings.wearer == GUEST


def wearers_in(state: Path) -> Iterator[Wearer]:
    """Everybody of whom something is kept, in order of name."""
    folder = state / FOLDER
    if folder.is_dir() and not folder.is_symlink():
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.is_symlink() and _NAME.fullmatch(path.name):
                yield Wearer(path.name, state)
