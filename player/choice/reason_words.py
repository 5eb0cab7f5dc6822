"""The words of reasons and moods in English; whoever speaks another language brings the same keys in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from player.choice.policies import RULES
from player.music import Mood

Words = Callable[[str], str]
"""The template of a key."""

AROUSAL = ((-0.6, "very_calm"), (-0.2, "calm"), (0.2, "balanced"), (0.6, "engaged"))
"""Below each edge its level, above the last ``very_engaged``: one scale for people and for music."""
VALENCE_EDGE = 0.3

ENGLISH: Mapping[str, str] = {
    "level_very_calm": "very calm",
    "level_calm": "calm",
    "level_balanced": "balanced",
    "level_engaged": "engaged",
    "level_very_engaged": "very engaged",
    "music_very_calm": "very calm",
    "music_calm": "calm",
    "music_balanced": "balanced",
    "music_engaged": "engaging",
    "music_very_engaged": "very engaging",
    "level_both": "{level} and {valence}",
    "music_one": "{level} music",
    "music_both": "{level} and {valence} music",
    "pleasant": "pleasant",
    "unpleasant": "unpleasant",
    "music_pleasant": "pleasant",
    "music_unpleasant": "unpleasant",
    "untitled": "untitled",
    "track": "“{title}”",
    "track_by": "“{title}” by {artist}",
    "skipped": "Skipped.",
    "next_failed": "The track meant to be next could not be played.",
    "asked_failed": "The track you asked for could not be played.",
    "mood_moved": "Changed early, for your mood has moved.",
    "aim_changed": "Changed early, for you asked for something else.",
    "came_along": "Changed early, for you have come along.",
    "wished": "You asked for {track}.",
    "resumed": "Going on where the music stopped, {at_s} s into {track}.",
    "album_goes_on": "The album goes on with {track}.",
    "filler_first": "No track could be opened yet, so a quiet filler sounds meanwhile.",
    "filler_late": "The next track was not ready in time, so a quiet filler sounds meanwhile.",
    "filler_nothing": "There is nothing to play ({known} tracks known, {failed} of them could not be "
    "played), so a quiet filler sounds meanwhile.",
    "calibrating": "Your baseline is being taken, so {wanted} plays meanwhile",
    "unheard": "Nothing has been heard of you yet, so it begins with {wanted}",
    "unknown": "Your mood is unknown, so {wanted} plays",
    "known": "You seem {felt}",
    "undecided": "The reading is undecided just now; you last seemed {felt}",
    "unreliable": "The signal is not to be trusted just now; you last seemed {felt}",
    "stale": "Nothing new is heard of you just now; you last seemed {felt}",
    "kept_there": "you there",
    "kept_goal": "you at {goal}",
    "goal_point": "the point you chose",
    "goal_relax": "relax",
    "goal_focus": "focus",
    "goal_energise": "energise",
    "goal_sleep": "sleep",
    "only": "{track} is the only track free to play.",
    "best": "{track} is the best fit of {weighed}.",
    "variety": "{track} is fit number {place}, for variety, of {weighed}.",
    "all_banned": "All tracks are banned, but nothing else can be played.",
    "figures_felt": "You then: arousal {arousal}",
    "figures_felt_sure": "You then: arousal {arousal}, {percent} % sure",
    "figures_aim": "Music wanted: arousal {arousal}",
    "figures_aim_both": "Music wanted: arousal {arousal}, valence {valence}",
    "figures_track": "This track: arousal {arousal}",
    "figures_track_both": "This track: arousal {arousal}, valence {valence}",
    **{str(name): rule.words for name, rule in RULES.items()},
    **{f"{name}_any": rule.words_without_aim for name, rule in RULES.items() if rule.words_without_aim},
}
NO_PART = frozenset({"wished", "resumed", "album_goes_on", "filler_first", "filler_late", "filler_nothing"})
"""Notes of reasons in which the wearer has no part."""


def level_of(arousal: float) -> str:
    """``very_calm`` to ``very_engaged``."""
    return next((name for edge, name in AROUSAL if arousal < edge), "very_engaged")


def side_of(valence: float | None) -> str:
    """``pleasant``, ``unpleasant``, or nothing where it is neither or not known."""
    if valence is None or abs(valence) < VALENCE_EDGE:
        return ""
    return "pleasant" if valence > 0 else "unpleasant"


def mood_words(mood: Mood, words: Words = ENGLISH.__getitem__) -> str:
    """Plain words for how a person feels; the arousal always, valence where it says something."""
    level, side = words(f"level_{level_of(mood.arousal)}"), side_of(mood.valence)
    return words("level_both").format(level=level, valence=words(side)) if side else level


def music_words(mood: Mood, words: Words) -> str:
    """Plain words for music at a point of the plane, on the same scale."""
    level, side = words(f"music_{level_of(mood.arousal)}"), side_of(mood.valence)
    if not side:
        return words("music_one").format(level=level)
    return words("music_both").format(level=level, valence=words(f"music_{side}"))
