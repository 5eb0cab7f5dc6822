"""Eight short pieces as data: what each one is made of, from still pads to a lively run with drums."""

from __future__ import annotations

from dataclasses import dataclass

from player.music import Mood

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
Pattern = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Composition:
    """One piece. ``chords`` are scale degrees, a bar each; patterns are beats within a bar of four."""

    slug: str
    title: str
    mood: Mood
    tempo_bpm: float
    root: int
    scale: tuple[int, ...]
    chords: tuple[int, ...]
    bars: int
    level_dbfs: float
    silence_s: tuple[float, float]
    ends_by_fading_s: float = 0.0
    room: float = 0.2
    pad: float = 0.0
    warm: float = 0.0
    bass: float = 0.0
    bass_beats: Pattern = (0.0,)
    arp_voice: str = "pluck"
    arp: float = 0.0
    arp_steps: int = 2
    melody_voice: str = "bell"
    melody: float = 0.0
    melody_notes: int = 2
    kick: Pattern = ()
    snare: Pattern = ()
    hat: Pattern = ()
    shaker: Pattern = ()
    drums: float = 0.0


EIGHTHS: Pattern = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5)
OFFBEATS: Pattern = (0.5, 1.5, 2.5, 3.5)
FOUR: Pattern = (0.0, 1.0, 2.0, 3.0)
BACKBEAT: Pattern = (1.0, 3.0)

PIECES: tuple[Composition, ...] = (
    Composition(
        "01-still-water", "Still Water", Mood(0.2, -0.9), 44, 45, MAJOR, (0, 3), 9, -27.0, (1.2, 2.0),
        ends_by_fading_s=10.0, room=0.3, pad=0.5, warm=0.12,
    ),
    Composition(
        "02-slow-tide", "Slow Tide", Mood(0.3, -0.7), 54, 48, MAJOR, (0, 5, 3, 4), 10, -24.0, (0.8, 1.5),
        room=0.3, pad=0.5, bass=0.25, melody=0.1, melody_notes=1,
    ),
    Composition(
        "03-lantern", "Lantern", Mood(-0.2, -0.45), 64, 45, MINOR, (0, 5, 2, 6), 13, -22.0, (0.6, 1.2),
        room=0.28, pad=0.35, bass=0.28, melody=0.22, melody_notes=2,
    ),
    Composition(
        "04-window-seat", "Window Seat", Mood(0.1, -0.2), 76, 50, MAJOR, (0, 4, 5, 3), 15, -20.0, (0.5, 1.0),
        room=0.22, pad=0.28, bass=0.32, bass_beats=(0.0, 2.0), arp=0.2, arp_steps=2, melody=0.12,
        ends_by_fading_s=9.0,
    ),
    Composition(
        "05-walking-pace", "Walking Pace", Mood(0.3, 0.1), 92, 43, MAJOR, (0, 5, 1, 4), 18, -18.0, (0.4, 0.9),
        room=0.18, pad=0.2, bass=0.4, bass_beats=FOUR, arp=0.24, arp_steps=2, melody=0.14, melody_notes=3,
        shaker=OFFBEATS, kick=(0.0, 2.0), drums=0.4,
    ),
    Composition(
        "06-clear-morning", "Clear Morning", Mood(0.5, 0.35), 106, 52, MAJOR, (0, 3, 5, 4), 21, -16.0,
        silence_s=(0.4, 0.8), room=0.15, pad=0.16,
        bass=0.4, bass_beats=(0.0, 1.5, 2.0, 3.5), arp=0.3, arp_steps=4, melody=0.16,
        melody_notes=4, kick=(0.0, 2.0), snare=BACKBEAT, hat=OFFBEATS, drums=0.5,
    ),
    Composition(
        "07-quick-steps", "Quick Steps", Mood(-0.1, 0.6), 122, 45, MINOR, (0, 5, 2, 6), 26, -14.0, (0.3, 0.8),
        room=0.12, pad=0.1, bass=0.45, bass_beats=EIGHTHS, arp=0.34, arp_steps=4, melody_voice="lead",
        melody=0.12, melody_notes=4, kick=FOUR, snare=BACKBEAT, hat=OFFBEATS, drums=0.65,
    ),
    Composition(
        "08-bright-run", "Bright Run", Mood(0.6, 0.85), 142, 50, MAJOR, (0, 4, 5, 3), 32, -12.0, (0.3, 0.7),
        room=0.1, pad=0.08, bass=0.5, bass_beats=EIGHTHS, arp_voice="lead", arp=0.3, arp_steps=4,
        melody_voice="lead", melody=0.2, melody_notes=8, kick=FOUR, snare=BACKBEAT, hat=EIGHTHS,
        shaker=OFFBEATS, drums=0.8,
    ),
)  # fmt: skip
"""Ordered from calm to lively."""
