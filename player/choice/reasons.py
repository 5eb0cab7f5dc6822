"""The sentence that tells a person why this track plays."""

from __future__ import annotations

from player.choice.wearer import Situation
from player.music import Mood, Target, Track


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


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:120].strip()


def wearer_words(mood: Mood | None, situation: Situation, confidence: float | None) -> str:
    """What is known of the wearer, with how sure."""
    if situation == "calibrating":
        return "Your baseline is being taken, so calm music plays meanwhile"
    if situation == "unheard":
        return "Nothing has been heard of the wearer yet, so the music begins calmly"
    if mood is None or situation == "neutral":
        return "The wearer's mood is unknown, so balanced music plays"
    felt = f"{mood_words(mood)} (arousal {mood.arousal:+.2f}"
    if situation == "frozen":
        return f"The signal is not to be trusted just now; you last seemed {felt})"
    sure = "" if confidence is None else f", {100 * confidence:.0f} % sure"
    return f"You seem {felt}{sure})"


def policy_words(policy: str, target: Target | None, aim: Mood | None) -> str:
    """What the policy makes of it."""
    goal = "relax" if target is None else target.name
    if aim is None:
        return "you choose by hand, so any track may come"
    wanted = f"{mood_words(aim)} music (arousal {aim.arousal:+.2f})"
    return {
        "match": f"matching it asks for {wanted}",
        "lead": f"one step towards {goal} asks for {wanted}",
        "contrast": f"its opposite is {wanted}",
        "maintain": f"to keep you there {wanted} fits",
        "manual": f"you asked for {goal}, which is {wanted}",
    }[policy]


def choice_sentence(
    chosen: Track, wearer: str, policy: str | None, weighed: int, rank: int, note: str = ""
) -> str:
    """The whole sentence: the wearer, the policy, the choice, and how it stood among the others."""
    place = "the best fit" if rank == 0 else f"fit number {rank + 1}, for variety,"
    among = f"{place} of {weighed}" if weighed > 1 else "the only track free to play"
    middle = f"; {policy}" if policy else ""
    lead = f"{note}: " if note else ""
    return f"{lead}{wearer}{middle}. {track_name(chosen)} ({mood_words(chosen.mood)}) is {among}."
