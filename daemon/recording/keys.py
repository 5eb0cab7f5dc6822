"""The key with which a session's recording is encrypted."""

from __future__ import annotations

from acquisition.recording.recording_key import KEY_FILE, RecordingKey, made_key
from daemon.settings import Settings
from daemon.wearers.wearer import wearer_of


def recording_key(settings: Settings) -> RecordingKey | None:
    """The wearer's key, made where there is none; None where nothing is to be encrypted.

    Raises ``RecordingKeyError``: what was to be encrypted is not recorded in clear instead.
    """
    return made_key(wearer_of(settings).folder / KEY_FILE) if settings.encrypt else None
