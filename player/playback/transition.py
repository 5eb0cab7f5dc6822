"""When and how one track gives way to the next: pure arithmetic on cue points, no audio."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from player.deck import MIX_RATE_HZ, PcmBlock
from player.music import Track

FadeCurve = Literal["equal_power", "natural_out"]
"""``equal_power``: cos out, sin in. ``natural_out``: the old track fades by itself, the new one is shaped."""

TARGET_LUFS = -18.0
"""Loudness every track is brought to (the ReplayGain 2 reference level)."""
CEILING_DBTP = -1.0
"""True peaks stay below this after the gain (EBU R128 / EBU Tech 3343)."""
LIMITED_DB = 3.0
"""By how much single peaks may be left to the limiter, so that dynamic music is not softer than the rest."""
OPENING_LEAN_DB = 2.0
"""By how much at most the gain leans from the loudness of the whole to that of the first minute."""
MAX_GAIN_DB = 9.0
MIN_GAIN_DB = -30.0
UNKNOWN_LOUDNESS_GAIN_DB = -6.0
"""For tracks nobody has heard anything of: most released music lies 6-12 dB above the target."""
LISTEN_S = 20.0
"""So much of the beginning of a track that nobody has measured is listened to."""
LEAST_LISTEN_S = 3.0
UNMEASURED_MAX_GAIN_DB = 6.0
"""What begins quietly may grow."""
SHORTEST_FADE_S = 1.5
MICRO_FADE_S = 0.25


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of tracks.

    ``start_at_s`` is the position in the current track where the fade begins (infinite for a stream without
    an end that nobody asked to leave); ``next_start_s`` is where the next track begins. Gains in dB are
    constant for the whole track and applied before the fade.
    """

    start_at_s: float
    fade_s: float
    current_gain_db: float
    next_gain_db: float
    next_start_s: float
    curve: FadeCurve


def is_endless(track: Track) -> bool:
    """True for radio and other streams of unknown length (``duration_s`` is 0)."""
    return track.duration_s <= 0


def audible_end_s(track: Track) -> float:
    """Position of the cue-out in seconds; infinite for endless streams."""
    if is_endless(track):
        return math.inf
    return track.cue_out_s if track.cue_out_s > track.cue_in_s else track.duration_s


def usable_s(track: Track) -> float:
    """Length of the audible part in seconds; infinite for endless streams."""
    return max(0.0, audible_end_s(track) - max(0.0, track.cue_in_s))


def gain_db(track: Track, target_lufs: float = TARGET_LUFS) -> float:
    """Gain in dB to the target, at most +9 dB, with peaks at most 3 dB over the ceiling (for the limiter).

    The target lies midway between the loudness of the whole and of its first minute: a piece that begins
    quietly is neither lost behind the one before it, nor too loud once it has grown.
    """
    if track.loudness_lufs is None or not math.isfinite(track.loudness_lufs):
        return UNKNOWN_LOUDNESS_GAIN_DB
    gain = min(target_lufs - track.loudness_lufs - _opening_lean_db(track), MAX_GAIN_DB)
    if track.true_peak_dbtp is not None and math.isfinite(track.true_peak_dbtp):
        gain = min(gain, CEILING_DBTP + LIMITED_DB - track.true_peak_dbtp)
    return max(gain, MIN_GAIN_DB)


def unmeasured_gain_db(
    track: Track, beginning: PcmBlock, loudness_of: Callable[[PcmBlock], float | None]
) -> float:
    """Gain in dB by the loudness of the beginning, (n_frames, 2); little of it raises nothing."""
    lufs = loudness_of(beginning)
    peak = float(np.abs(beginning).max(initial=0.0))
    if lufs is None or peak <= 0:
        return UNKNOWN_LOUDNESS_GAIN_DB
    gain = gain_db(replace(track, loudness_lufs=lufs, true_peak_dbtp=20 * math.log10(peak)))
    short = len(beginning) < LEAST_LISTEN_S * MIX_RATE_HZ
    return min(gain, UNKNOWN_LOUDNESS_GAIN_DB if short else UNMEASURED_MAX_GAIN_DB)


def album_gain_db(parts: Sequence[Track]) -> float:
    """One gain for all parts, so that they stay as loud to each other as they were made."""
    known = [part for part in parts if part.loudness_lufs is not None and math.isfinite(part.loudness_lufs)]
    if not known:
        return UNKNOWN_LOUDNESS_GAIN_DB
    seconds = sum(max(1.0, part.duration_s) for part in known)
    power = sum(10 ** ((part.loudness_lufs or 0.0) / 10) * max(1.0, part.duration_s) for part in known)
    peaks = [part.true_peak_dbtp for part in known if part.true_peak_dbtp is not None]
    whole = replace(known[0], loudness_lufs=10 * math.log10(power / seconds), opening_lufs=None)
    return gain_db(replace(whole, true_peak_dbtp=max(peaks, default=None)))


def _opening_lean_db(track: Track) -> float:
    """How far towards its first minute a track's loudness is taken to lie from that of the whole."""
    if track.loudness_lufs is None or track.opening_lufs is None or not math.isfinite(track.opening_lufs):
        return 0.0
    half = (track.opening_lufs - track.loudness_lufs) / 2
    return min(OPENING_LEAN_DB, max(-OPENING_LEAN_DB, half))


def plan(
    current: Track, next_: Track, position_s: float, crossfade_s: float, forced: bool = False
) -> Transition:
    """Plan the change from ``current``, now at ``position_s``, to ``next_``.

    The fade is the least of ``crossfade_s``, half of what is usable of the next track and what remains of the
    current one; below 1.5 s it becomes a micro-fade of 0.25 s. A forced change starts at once. Raises
    ValueError for a negative or non-finite ``position_s`` or ``crossfade_s``.
    """
    for name, value in (("position_s", position_s), ("crossfade_s", crossfade_s)):
        if not math.isfinite(value) or value < 0:
            raise ValueError(f"{name} must be a finite number of seconds, 0 or more, got {value!r}")
    end_s = audible_end_s(current)
    remaining_s = max(0.0, end_s - position_s)
    fade_s = min(crossfade_s, usable_s(next_) / 2, remaining_s)
    natural = _in_natural_fade(current, position_s, forced)
    if natural and not forced:
        fade_s = min(fade_s, current.fades_out_s)
    if fade_s < SHORTEST_FADE_S:
        fade_s = min(MICRO_FADE_S, remaining_s)
        natural = False
    return Transition(
        start_at_s=position_s if forced else max(position_s, end_s - fade_s),
        fade_s=fade_s,
        current_gain_db=gain_db(current),
        next_gain_db=gain_db(next_),
        next_start_s=max(0.0, next_.cue_in_s),
        curve="natural_out" if natural else "equal_power",
    )


def _in_natural_fade(current: Track, position_s: float, forced: bool) -> bool:
    if current.fades_out_s < SHORTEST_FADE_S or is_endless(current):
        return False
    return not forced or position_s >= audible_end_s(current) - current.fades_out_s
