"""Cues over the music: soft chimes made by code, or phrases spoken by espeak-ng where it is installed."""

from __future__ import annotations

import io
import logging
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from acquisition.isolation.child_clock import communicate
from player.deck import PcmBlock
from player.location import quoted
from player.music import AnnouncementKind
from player.synth import Canvas, tone

AnnouncementName = Literal["rest_begin", "rest_end", "headset_lost", "headset_back"]
ANNOUNCEMENTS: tuple[AnnouncementName, ...] = get_args(AnnouncementName)
ANNOUNCEMENT_KINDS: tuple[AnnouncementKind, ...] = get_args(AnnouncementKind)

CHIME_DUCK_DB = 3.0
"""A chime is heard beside the music: it lowers it by no more than any other event may move the level."""
VOICE_DUCK_DB = 14.0
"""Music under speech, between the 12 and 18 dB that broadcasters use."""
CHIME_DBFS = -26.0
VOICE_DBFS = -20.0
"""RMS where there is sound; music stands at about -20 dBFS (-18 LUFS)."""
ESPEAK_TIMEOUT_S = 5.0
MAX_SPOKEN_BYTES = 4 << 20
SPEED_WORDS_PER_MINUTE = 150

NOTES: Mapping[AnnouncementName, tuple[int, ...]] = {
    "rest_begin": (76, 72, 67),
    "rest_end": (67, 72, 76),
    "headset_lost": (64, 57),
    "headset_back": (57, 64),
}
"""MIDI notes: falling where something goes down or away, rising where it comes back."""
NOTE_APART_S = 0.45
NOTE_S = 2.2

PHRASES: Mapping[AnnouncementName, str] = {
    "rest_begin": "Sit still now, and rest with your eyes as you will listen.",
    "rest_end": "Thank you. The rest is over.",
    "headset_lost": "The headset is lost. The music goes on.",
    "headset_back": "The headset is back.",
}

log = logging.getLogger(__name__)


class AnnouncementError(ValueError):
    """No such cue, or none are wanted. The message says which."""


@dataclass(frozen=True, slots=True)
class AnnouncementSound:
    """What is heard, shape (n_frames, 2), and by how much the music goes down under it."""

    pcm: PcmBlock
    duck_db: float


def check_announcement(cue: str, kind: AnnouncementKind) -> None:
    """Raises AnnouncementError for a cue that is none, and where cues are off."""
    if cue not in ANNOUNCEMENTS:
        raise AnnouncementError(f"cue must be one of {', '.join(ANNOUNCEMENTS)}; got {quoted(cue, 40)}")
    if kind == "off":
        raise AnnouncementError("cues are off")


def announcement_sound(cue: AnnouncementName, kind: AnnouncementKind) -> AnnouncementSound:
    """The sound of a cue, made now; a chime where it cannot be spoken. Raises AnnouncementError."""
    check_announcement(cue, kind)
    if kind == "voice":
        try:
            return AnnouncementSound(_spoken(cue), VOICE_DUCK_DB)
        except AnnouncementError as error:
            log.warning("%s: chimes are heard instead", error)
    return AnnouncementSound(chime(cue), CHIME_DUCK_DB)


@lru_cache(maxsize=len(ANNOUNCEMENTS))
def chime(cue: AnnouncementName) -> PcmBlock:
    """Two or three bells, (n_frames, 2), the same samples at every call."""
    notes = NOTES[cue]
    canvas = Canvas((len(notes) - 1) * NOTE_APART_S + NOTE_S)
    for number, note in enumerate(notes):
        canvas.add(tone("bell", note, NOTE_S), number * NOTE_APART_S, 0.3)
    canvas.fade(0.01, 0.3)
    return _at_level(canvas.samples, CHIME_DBFS)


@lru_cache(maxsize=len(ANNOUNCEMENTS))
def _spoken(cue: AnnouncementName) -> PcmBlock:
    """The phrase by espeak-ng, a program of its own. An AnnouncementError need not last."""
    from player.reading.sound_opening import open_sound
    from player.reading.sound_reader import UnreadableAudioError, blocks

    program = shutil.which("espeak-ng")
    if program is None:
        raise AnnouncementError("spoken cues need espeak-ng (apt install espeak-ng)")
    command = [program, "--stdout", "-v", "en", "-s", str(SPEED_WORDS_PER_MINUTE), PHRASES[cue]]
    try:
        pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
        child = subprocess.Popen(command, stdin=quiet, stdout=pipe, stderr=quiet)
        said, _ = communicate(child, ESPEAK_TIMEOUT_S)
        if child.returncode:
            raise AnnouncementError(f"espeak-ng ended with status {child.returncode}")
        with open_sound(io.BytesIO(said[:MAX_SPOKEN_BYTES])) as reader:
            parts = list(blocks(reader))
        return _at_level(np.concatenate(parts, axis=1), VOICE_DBFS)
    except (OSError, subprocess.SubprocessError, UnreadableAudioError, ValueError) as error:
        raise AnnouncementError(f"espeak-ng failed ({type(error).__name__})") from error


def _at_level(sound: np.ndarray, dbfs: float) -> PcmBlock:
    """Frames of shape (n, 2) from samples of shape (2, n), at this level where there is sound."""
    loud = np.abs(sound).max(axis=0) > 0.05 * np.abs(sound).max()
    rms = float(np.sqrt(np.mean(np.square(sound[:, loud], dtype=np.float64))))
    if not rms > 0:
        raise ValueError("a cue without sound")
    return np.ascontiguousarray(sound.T * np.float32(10 ** (dbfs / 20) / rms))


class AnnouncementDeck:
    """A cue as a deck: all of it is there from the beginning."""

    complete = True
    error: str | None = None
    title = ""

    def __init__(self, pcm: PcmBlock) -> None:
        self._pcm = pcm
        self._at = 0

    def open(self, location: str, start_s: float = 0.0) -> None:
        """Always open."""

    def buffered_frames(self) -> int:
        """What is left."""
        return len(self._pcm) - self._at

    def read(self, n_frames: int) -> PcmBlock:
        """The next frames, (n_frames, 2)."""
        block = self._pcm[self._at : self._at + n_frames].copy()
        self._at += len(block)
        return block

    def look(self, n_frames: int) -> PcmBlock:
        """The next frames, (n_frames, 2), left where they are."""
        return self._pcm[self._at : self._at + n_frames]

    @property
    def ended(self) -> bool:
        """True once everything was read."""
        return self._at == len(self._pcm)

    def close(self) -> None:
        """Nothing to close."""
