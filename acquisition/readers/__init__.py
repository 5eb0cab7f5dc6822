"""Recordings in the formats people have: one reader a format, one way to open them all."""

from acquisition.grid.recording import Recording
from acquisition.readers.opening import open_recording

__all__ = ["Recording", "open_recording"]
