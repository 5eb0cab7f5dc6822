"""From what is known of the files to the tracks that are played: who is believed, and moods by rank."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from player.analysis.track_measures import Analysis, LearnedMood
from player.deck import is_stream
from player.library.music_folder import PLAYLIST_SUFFIXES, suffix_of
from player.library.sources.mood_tags import CONFIDENCE, GivenMood
from player.library.sources.track_names import track_id
from player.library.store.rows import FileRow, Header
from player.location import without_secrets
from player.music import Mood, Track

Floats = NDArray[np.float64]

UNKNOWN = Mood(None, 0.0)
_NUMBERED = re.compile(r"(?:([1-9])[-.])?0*(\d{1,3})(?=[ ._-])")
ANALYSED_VALENCE_SPAN = 0.5
"""Valence by analysis stays within +-0.5: it is little better than chance off the calm-tense diagonal."""

AROUSAL_SPREAD: Mapping[str, tuple[float, float]] = {
    "flux": (-5.8, -2.8),
    "onsets": (0.8, 6.5),
    "high": (-9.0, -2.2),
}
"""Usual ranges of the arousal features: ln of flux and of the share above 4 kHz, onsets a second."""
LEAST_HIGH_SHARE = 1e-4
"""What is below is the rounding of softly mastered samples as much as music."""
VALENCE_SPREAD: Mapping[str, tuple[float, float]] = {"majorness": (-0.2, 0.25), "centroid": (5.5, 7.9)}
LEARNED_VALENCE_SPAN = 0.75
"""Wider than by analysis, for it was trained on valence; how well is not published."""
LEARNED_SPREAD: Mapping[str, tuple[float, float]] = {"energy": (0.1, 0.95), "valence": (0.05, 0.9)}
"""Usual ranges of what vibenet says, in its own units."""
PRIOR_TRACKS = 12
"""Imagined tracks spread over the usual ranges, so that three tracks are not ranked as a whole world."""


def first_of_each(rows: Sequence[FileRow]) -> tuple[list[FileRow], list[tuple[FileRow, FileRow]]]:
    """The playable rows without copies of a sound, in their order; and (copy, what is played in its place).

    What people said of any copy holds for the one that is played. Each entry of a playlist that was named
    as music stays: somebody wrote it there.
    """
    alike: dict[str, list[FileRow]] = {}
    for row in rows:
        if row.reason is None and _is_ready(row):
            listed = suffix_of(row.root) in PLAYLIST_SUFFIXES
            alike.setdefault(row.path if listed else row.sound or row.path, []).append(row)
    played: list[FileRow] = []
    copies: list[tuple[FileRow, FileRow]] = []
    for same in alike.values():
        # "song (copy).mp3" is longer than what it was copied from
        original = min(same, key=lambda row: (len(row.path), row.path))
        given = [row.given for row in same if row.given is not None]
        stated = next((mood for mood in given if mood.source != "folder"), original.given)
        played.append(original if stated is original.given else replace(original, given=stated))
        copies += [(row, original) for row in same if row is not original]
    return sorted(played, key=lambda row: row.path), copies


def build_tracks(rows: Sequence[FileRow]) -> tuple[Track, ...]:
    """The playable tracks, in the order of the rows. A mood stated by people is taken as it is.

    Automatic arousal is the mean rank of spectral flux, onset rate and high-frequency share within the
    library, all as the track sounds when it is played: how loudly it was mastered is not heard then, and so
    says nothing (docs/decisions/0108).
    """
    playable, _ = first_of_each(rows)
    measured = [row.analysis for row in playable if row.analysis is not None]
    moods = dict(zip(map(id, measured), ranked_moods(measured), strict=True))
    heard = [row.learned for row in playable if row.learned is not None]
    learned = dict(zip(map(id, heard), learned_moods(heard), strict=True))
    return tuple(_track(row, learned.get(id(row.learned)), moods.get(id(row.analysis))) for row in playable)


def ranked_moods(analyses: Sequence[Analysis]) -> list[Mood]:
    """Moods by rank within these analyses and a few imagined tracks."""
    if not analyses:
        return []
    features = [one.features for one in analyses]
    arousal = _mean_rank(
        {
            "flux": np.log(np.array([f.flux for f in features]) + 1e-5),
            "onsets": np.array([f.onset_rate_hz for f in features]),
            "high": np.log(np.array([f.high_share for f in features]) + LEAST_HIGH_SHARE),
        },
        AROUSAL_SPREAD,
    )
    valence = _mean_rank(
        {
            "majorness": np.array([f.majorness for f in features]),
            "centroid": np.log(np.array([f.centroid_hz for f in features]) + 1.0),
        },
        VALENCE_SPREAD,
    )
    return _moods(ANALYSED_VALENCE_SPAN * valence, arousal)


def learned_moods(heard: Sequence[LearnedMood]) -> list[Mood]:
    """Moods by the rank of what vibenet heard, among these tracks and a few imagined ones."""
    if not heard:
        return []
    arousal = _mean_rank({"energy": np.array([one.energy for one in heard])}, LEARNED_SPREAD)
    valence = _mean_rank({"valence": np.array([one.valence for one in heard])}, LEARNED_SPREAD)
    return _moods(LEARNED_VALENCE_SPAN * valence, arousal)


def _moods(valence: Floats, arousal: Floats) -> list[Mood]:
    return list(map(Mood, np.round(valence, 3).tolist(), np.round(arousal, 3).tolist()))


def _mean_rank(columns: Mapping[str, Floats], spreads: Mapping[str, tuple[float, float]]) -> Floats:
    """Mean of the columns' ranks, ranked once more, spread evenly over -0.95..0.95; shape (n,)."""
    ranks = []
    for name, column in columns.items():
        prior = np.linspace(*spreads[name], PRIOR_TRACKS)
        ranks.append(_rank(np.concatenate([column, prior])))
    mean = np.mean(ranks, axis=0)
    result: Floats = 0.95 * _rank(mean)[: len(mean) - PRIOR_TRACKS]
    return result


def _rank(values: Floats) -> Floats:
    """Ranks as -1..1; equal values share one."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    above = np.cumsum(counts)
    middle = (2 * above - counts - 1) / 2
    result: Floats = 2 * middle[place] / max(1, len(values) - 1) - 1
    return result


def _is_ready(row: FileRow) -> bool:
    """A file whose length nobody knows yet cannot be planned for; a stream has none."""
    if row.header is None:
        return False
    return row.analysis is not None or row.header.duration_s > 0 or "://" in row.path


def _track(row: FileRow, learned: Mood | None, ranked: Mood | None) -> Track:
    header, analysis = row.header, row.analysis
    if header is None:
        raise ValueError(f"{row.path} has no header")
    stated = stated_mood(row)
    if stated is not None:
        mood, source = stated.mood(), stated.source
    elif learned is not None:
        mood, source = learned, "vibenet"
    elif ranked is not None:
        mood, source = ranked, "analysis"
    else:
        mood, source = UNKNOWN, "unknown"
    duration_s = header.duration_s if analysis is None else analysis.duration_s
    return Track(
        id=row.sound or track_id(row.path),
        location=row.path,
        title=without_secrets(header.title),
        artist=header.artist,
        duration_s=duration_s,
        cue_in_s=0.0 if analysis is None else analysis.cue_in_s,
        cue_out_s=duration_s if analysis is None else analysis.cue_out_s,
        loudness_lufs=header.loudness_lufs if analysis is None else analysis.loudness_lufs,
        true_peak_dbtp=header.true_peak_dbtp if analysis is None else analysis.true_peak_dbtp,
        mood=mood,
        mood_source=source,
        mood_confidence=CONFIDENCE[source],
        fades_out_s=0.0 if analysis is None else analysis.fades_out_s,
        opening_lufs=None if analysis is None else analysis.opening_lufs,
        album=_album(row.path, header),
        part=header.part or _part_by_name(row.path),
        starred=header.liked,
    )


def _album(path: str, header: Header) -> str:
    """What tells one album from another of its name: whose it is, or else the folder."""
    if not header.album or is_stream(path):
        return ""
    return track_id(f"{header.album}\n{header.album_artist or PurePath(path).parent}")


def _part_by_name(path: str) -> int:
    """``07 Song.flac`` and ``2-07 Song.flac`` say their places in the album themselves."""
    found = _NUMBERED.match(PurePath(path).name)
    return 1000 * int(found[1] or 1) + int(found[2]) if found else 0


def stated_mood(row: FileRow) -> GivenMood | None:
    """Sidecar before tags before folder rules."""
    tagged = None if row.header is None else row.header.tagged
    if row.given is not None and (row.given.source != "folder" or tagged is None):
        return row.given
    return tagged
