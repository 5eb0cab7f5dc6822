"""Recordings in the formats people have: one reader a format, one way to open them all."""

from acquisition.readers.opening import open_recording
from acquisition.readers.recording import Recording

__all__ = ["Recording", "open_recording"]
