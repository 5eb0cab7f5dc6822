"""The sentence that tells a person why this track plays, made from a reason's codes and numbers alone."""

from __future__ import annotations

from player.choice.policies import RULES
from player.choice.reason_words import ENGLISH, NO_PART, Words, mood_words, music_words
from player.choice.targets import NAMED_TARGETS
from player.music import Mood, Reason, Target, Track

NEUTRAL = Mood(None, 0.0)
UNFELT = frozenset({"calibrating", "unheard", "unknown"})


def track_name(track: Track) -> str:
    """Title and artist, free of control and direction characters so that no tag can garble a line of text."""
    return named(track.title, track.artist, ENGLISH.__getitem__)


def named(title: str, artist: str, words: Words) -> str:
    """A track as it is called in a sentence."""
    title, artist = _plain(title) or words("untitled"), _plain(artist)
    return (
        words("track_by").format(title=title, artist=artist) if artist else words("track").format(title=title)
    )


def sentence(chosen: Track, reason: Reason) -> str:
    """The whole sentence in English."""
    return explanation(track_name(chosen), reason, ENGLISH.__getitem__)


def explanation(track: str, reason: Reason, words: Words) -> str:
    """The wearer, the policy, the choice, and how it stood among the others, without a figure.

    ``track`` is what the track is called, ``words`` the templates of a language. The figures that belong to
    it come from ``figures``.
    """
    return " ".join(part for part in (because(track, reason, words), place(track, reason, words)) if part)


def because(track: str, reason: Reason, words: Words) -> str:
    """The first half, which is enough for most: what is believed of the wearer, and what follows from it."""
    if reason.note in NO_PART:
        return words(reason.note).format(
            track=track, at_s=round(reason.start_s), known=reason.known, failed=reason.failed
        )
    middle = "; ".join(part for part in (_wearer(reason, words), _policy(reason, words)) if part)
    return f"{middle}." if reason.note == "none" else f"{words(reason.note)} {middle}."


def place(track: str, reason: Reason, words: Words) -> str:
    """The other half: how the track stood among the others; nothing where none were weighed."""
    if reason.note in NO_PART:
        return ""
    if reason.weighed <= 1:
        stood = words("only").format(track=track)
    else:
        key = "best" if reason.rank == 0 else "variety"
        stood = words(key).format(track=track, place=reason.rank + 1, weighed=reason.weighed)
    return f"{stood} {words('all_banned')}" if reason.all_banned else stood


def figures(reason: Reason, track: Mood | None, words: Words) -> tuple[str, ...]:
    """What the sentence is made of, in numbers: the wearer then, the mood wanted, the track's own."""
    if reason.note in NO_PART:
        return ()
    lines = []
    if reason.mood is not None and RULES[reason.policy].follows_wearer:
        sure = reason.confidence is not None and reason.wearer == "known"
        felt = words("figures_felt_sure" if sure else "figures_felt")
        percent = f"{100 * (reason.confidence or 0.0):.0f}"
        lines.append(felt.format(arousal=f"{reason.mood.arousal:+.2f}", percent=percent))
    for key, mood in (("figures_aim", reason.aim), ("figures_track", track)):
        if mood is not None:
            valence = "" if mood.valence is None else f"{mood.valence:+.2f}"
            template = words(f"{key}_both" if valence else key)
            lines.append(template.format(arousal=f"{mood.arousal:+.2f}", valence=valence))
    return tuple(lines)


def _wearer(reason: Reason, words: Words) -> str:
    """What is known of the wearer; nothing where music is chosen by hand."""
    if not RULES[reason.policy].follows_wearer:
        return ""
    if reason.mood is None or reason.wearer in UNFELT:
        code = reason.wearer if reason.wearer in UNFELT else "unknown"
        return words(code).format(wanted=music_words(reason.aim or NEUTRAL, words))
    return words(reason.wearer).format(felt=mood_words(reason.mood, words))


def _policy(reason: Reason, words: Words) -> str:
    """What the policy makes of it; nothing where the wearer's mood has no part."""
    rule = RULES[reason.policy]
    if rule.follows_wearer and (reason.mood is None or reason.wearer in UNFELT):
        return ""
    if reason.aim is None:
        return words(f"{reason.policy}_any") if rule.words_without_aim else ""
    goal = _goal(reason.target, words)
    kept = words("kept_there") if reason.target is None else words("kept_goal").format(goal=goal)
    return words(reason.policy).format(wanted=music_words(reason.aim, words), goal=goal, kept=kept)


def _goal(target: Target | None, words: Words) -> str:
    """The name of a target; a point has none but its numbers, which say little to a person."""
    name = "relax" if target is None else target.name
    return words(f"goal_{name}" if name in NAMED_TARGETS else "goal_point")


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:120].strip()
