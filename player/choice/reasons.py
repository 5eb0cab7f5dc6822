"""The sentence that tells a person why this track plays, made from a reason's codes and numbers alone."""

from __future__ import annotations

from player.choice.policies import RULES
from player.choice.targets import NAMED_TARGETS
from player.music import Mood, Reason, ReasonNote, Target, Track

LEAD_INS: dict[ReasonNote, str] = {
    "skipped": "Skipped: ",
    "next_failed": "The track meant to be next could not be played: ",
    "asked_failed": "The track you asked for could not be played: ",
    "mood_moved": "Changed early, for your mood has moved: ",
    "aim_changed": "Changed early, for you asked for something else: ",
    "came_along": "Changed early, for you have come along: ",
}
WHOLE: dict[ReasonNote, str] = {
    "wished": "You asked for {track}.",
    "resumed": "Going on where the music stopped, {at_s:.0f} s into {track}.",
    "filler_first": "No track could be opened yet, so a quiet filler sounds meanwhile.",
    "filler_late": "The next track was not ready in time, so a quiet filler sounds meanwhile.",
    "filler_nothing": "There is nothing to play ({known} tracks known, {failed} of them could not be "
    "played), so a quiet filler sounds meanwhile.",
}
"""Reasons in which the wearer has no part."""
SITUATIONS = {
    "undecided": "The reading is undecided just now",
    "unreliable": "The signal is not to be trusted just now",
    "stale": "Nothing new is heard of you just now",
}


def mood_words(mood: Mood) -> str:
    """Plain words for a point of the plane; the arousal axis always, valence when it is known."""
    level = mood.arousal
    names = ((-0.6, "very calm"), (-0.2, "calm"), (0.2, "balanced"), (0.6, "lively"))
    word = next((name for edge, name in names if level < edge), "very lively")
    if mood.valence is None or abs(mood.valence) < 0.3:
        return word
    return f"{word} and {'bright' if mood.valence > 0 else 'sombre'}"


def track_name(track: Track) -> str:
    """Title and artist, free of control and direction characters so that no tag can garble a line of text."""
    title = _plain(track.title) or "untitled"
    artist = _plain(track.artist)
    return f"“{title}” by {artist}" if artist else f"“{title}”"


def sentence(chosen: Track, reason: Reason) -> str:
    """The whole sentence: the wearer, the policy, the choice, and how it stood among the others."""
    if reason.note in WHOLE:
        return WHOLE[reason.note].format(
            track=track_name(chosen), at_s=reason.start_s, known=reason.known, failed=reason.failed
        )
    told, policy = _wearer(reason), _policy(reason)
    middle = f"{told}; {policy}" if told and policy else told or policy
    middle = middle[:1].upper() + middle[1:] if reason.note == "none" else middle[:1].lower() + middle[1:]
    name = f"{track_name(chosen)} ({mood_words(chosen.mood)})"
    return f"{LEAD_INS.get(reason.note, '')}{middle}. {name} is {_place(reason)}."


def _place(reason: Reason) -> str:
    if reason.weighed <= 1:
        among = "the only track free to play"
    else:
        best = "the best fit" if reason.rank == 0 else f"fit number {reason.rank + 1}, for variety,"
        among = f"{best} of {reason.weighed}"
    return f"{among}; all of them are banned, but nothing else can be played" if reason.all_banned else among


def _wearer(reason: Reason) -> str:
    """What is known of the wearer, with how sure; nothing where music is chosen by hand."""
    if not RULES[reason.policy].follows_wearer:
        return ""
    aim = "balanced" if reason.aim is None else mood_words(reason.aim)
    if reason.wearer == "calibrating":
        return f"Your baseline is being taken, so {aim} music plays meanwhile"
    if reason.wearer == "unheard":
        return f"Nothing has been heard of you yet, so the music begins {aim}"
    if reason.mood is None:
        return f"Your mood is unknown, so {aim} music plays"
    felt = f"{mood_words(reason.mood)} (arousal {reason.mood.arousal:+.2f}"
    if reason.wearer != "known":
        return f"{SITUATIONS[reason.wearer]}; you last seemed {felt})"
    sure = "" if reason.confidence is None else f", {100 * reason.confidence:.0f} % sure"
    return f"You seem {felt}{sure})"


def _policy(reason: Reason) -> str:
    """What the policy makes of it; nothing where the wearer's mood has no part."""
    rule = RULES[reason.policy]
    if rule.follows_wearer and (reason.mood is None or reason.wearer in ("calibrating", "unheard")):
        return ""
    if reason.aim is None:
        return rule.words_without_aim
    goal = _goal(reason.target)
    kept = "you there" if reason.target is None else f"you at {goal}"
    return rule.words.format(wanted=_wanted(reason.aim), goal=goal, kept=kept)


def _wanted(aim: Mood) -> str:
    return f"{mood_words(aim)} music (arousal {aim.arousal:+.2f})"


def _goal(target: Target | None) -> str:
    """The name of a target; a point has none but its numbers, which say little to a person."""
    if target is None:
        return "relax"
    return target.name if target.name in NAMED_TARGETS else "the point you chose"


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:120].strip()
