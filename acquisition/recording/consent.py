"""The consent that every recording carries: who asked for it how, when, and what it covers."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

SCOPE = ("eeg", "signal quality", "emotion states", "player decisions", "audio markers", "labels")
SUFFIX = ".consent.json"
MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Consent:
    """``given_at`` RFC 3339; ``how`` the act by which it was given; ``simulated`` when nobody is recorded;
    ``who`` agreed, where they said their name.
    """

    given_at: str
    how: str
    scope: tuple[str, ...] = SCOPE
    simulated: bool = False
    use: str = "by the wearer, on this machine; nothing leaves it unless the wearer sends it"
    withdraw: str = "neuroplayer forget"
    who: str = ""


def consent_path(recording: Path) -> Path:
    """Where the consent to a recording lies."""
    return recording.with_name(recording.name.removesuffix(".part").removesuffix(".xdf") + SUFFIX)


def write_consent(recording: Path, consent: Consent) -> Path:
    """Put the consent beside the recording, for its owner only. Raises ``OSError``."""
    path = consent_path(recording)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(json.dumps(asdict(consent), indent=2, ensure_ascii=False) + "\n")
    return path


def read_consent(recording: Path) -> Consent | None:
    """The consent to a recording; None where there is none that can be read."""
    try:
        with consent_path(recording).open("rb") as file:
            words = json.loads(file.read(MAX_BYTES))
        scope: Sequence[str] = words.pop("scope")
        return Consent(scope=tuple(scope), **words)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
