"""What the analyser says of one file, as it is kept in the cache."""

from __future__ import annotations

import msgspec

ANALYSER_VERSION = 3
"""Counts up when a measure changes, so that cached values of the old analyser are not used."""


class MoodFeatures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What arousal and valence are guessed from. Comparable only within one version of the analyser."""

    flux: float
    onset_rate_hz: float
    high_share: float
    centroid_hz: float
    majorness: float


class Analysis(msgspec.Struct, frozen=True):
    """Everything measured of one file; positions in seconds of it. ``opening_lufs``: its first minute.

    Not ``whole``: only an excerpt was heard, and the positions are what the header says. What an older
    version kept, with a field more or less, is still read.
    """

    duration_s: float
    cue_in_s: float
    cue_out_s: float
    fades_out_s: float
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    features: MoodFeatures
    opening_lufs: float | None = None
    whole: bool = True


class LearnedMood(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the network of ``vibenet`` heard: energy and valence, each 0..1."""

    energy: float
    valence: float
