"""How well each track of a library fits an aim, as named parts, for tens of thousands of tracks at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.music import Mood, Track

Floats = NDArray[np.float64]

LABELLED = frozenset({"sidecar", "tag", "folder", "composed", "given"})
VALENCE_WEIGHT_LABELLED = 1.0
VALENCE_WEIGHT_ANALYSED = 0.5
"""Automatic valence is near chance off the calm-tense diagonal (DEAM, 10-fold by song), so it counts half."""
SHORT_TRACK_S = 30.0


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """Penalties in units of mood distance: 0.3 weighs as much as a mood 0.3 away."""

    same_artist: float = 0.3
    low_confidence: float = 0.1
    short_track: float = 1.0
    keep_chosen: float = 0.12
    liked: float = 0.1


def mood_distance(a: Mood, b: Mood, valence_weight: float = 1.0) -> float:
    """Distance in the plane; an axis that one side does not know is left out."""
    difference = a.arousal - b.arousal
    if a.valence is None or b.valence is None:
        return abs(difference)
    return math.hypot(difference, math.sqrt(valence_weight) * (a.valence - b.valence))


def valence_weight(track: Track) -> float:
    """Weight of the track's valence: people's labels count in full, automatic ones half."""
    return VALENCE_WEIGHT_LABELLED if track.mood_source in LABELLED else VALENCE_WEIGHT_ANALYSED


def distance_to(track: Track, aim: Mood) -> float:
    """Distance of a track from an aim, with the track's own trust in its valence."""
    return mood_distance(track.mood, aim, valence_weight(track))


class TrackTable:
    """The columns of a library that scoring needs, as arrays of one row a track."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self.tracks = tuple(tracks)
        self._rows: dict[str, list[int]] = {}
        for row, track in enumerate(self.tracks):
            self._rows.setdefault(track.id, []).append(row)
        self._arousal = np.array([track.mood.arousal for track in self.tracks], dtype=np.float64)
        self._valence = np.array(
            [math.nan if track.mood.valence is None else track.mood.valence for track in self.tracks],
            dtype=np.float64,
        )
        self._valence_weight = np.array([valence_weight(track) for track in self.tracks], dtype=np.float64)
        self._confidence = np.array([track.mood_confidence for track in self.tracks], dtype=np.float64)
        usable = np.array([track.cue_out_s - track.cue_in_s for track in self.tracks], dtype=np.float64)
        endless = np.array([track.duration_s <= 0 for track in self.tracks], dtype=bool)
        self._short = (usable < SHORT_TRACK_S) & ~endless
        self._artist_rows: dict[str, list[int]] = {}
        for row, track in enumerate(self.tracks):
            self._artist_rows.setdefault(track.artist.casefold().strip(), []).append(row)

    def rows_of(self, ids: Iterable[str]) -> list[int]:
        """The rows of these tracks; a playlist may name several copies of one."""
        return [row for track_id in ids for row in self._rows.get(track_id, ())]

    def distances(self, aim: Mood) -> Floats:
        """Distance of every track to the aim, shape (n_tracks,)."""
        squared = (self._arousal - aim.arousal) ** 2
        if aim.valence is not None:
            gap = np.nan_to_num(self._valence - aim.valence, nan=0.0)
            squared = squared + self._valence_weight * gap**2
        result: Floats = np.sqrt(squared)
        return result

    def parts(
        self,
        aim: Mood | None,
        recent_artists: Sequence[str],
        chosen: Track | None,
        weights: ScoreWeights,
    ) -> dict[str, Floats]:
        """Named score parts, each of shape (n_tracks,); their sum is the score, higher is better."""
        size = len(self.tracks)
        parts = {
            "mood": np.zeros(size) if aim is None else -self.distances(aim),
            "confidence": -weights.low_confidence * (1.0 - self._confidence),
            "artist": np.zeros(size),
            "short": -weights.short_track * self._short,
            "already_next": np.zeros(size),
        }
        for artist in {name.casefold().strip() for name in recent_artists} - {""}:
            parts["artist"][self._artist_rows.get(artist, [])] = -weights.same_artist
        if chosen is not None:
            parts["already_next"][self.rows_of([chosen.id])] = weights.keep_chosen
        return parts


def softmax_pick(scores: Floats, temperature: float, rng: np.random.Generator) -> int:
    """Draw one row of scores (n,) with probability proportional to exp(score / temperature)."""
    weights = np.exp((scores - scores.max()) / temperature)
    return int(rng.choice(len(scores), p=weights / weights.sum()))
