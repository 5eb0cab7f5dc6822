"""Words people tag music with, as points of the valence-arousal plane."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from player.music import Mood

_TABLE: dict[tuple[float, float], str] = {
    (0.5, -0.7): "calm peaceful relaxing relaxed relax serene tranquil soothing gentle chill chillout mellow",
    (0.1, -0.85): "sleep sleepy sleeping lullaby still quiet meditative meditation ambient dreamy",
    (0.4, -0.3): "soft tender romantic warm acoustic sentimental nostalgic",
    (0.2, 0.1): "focus focused concentration study work thoughtful neutral balanced reflective",
    (0.7, 0.4): "happy cheerful joyful sunny fun carefree bright uplifting optimistic summer",
    (0.6, 0.8): "energetic energetisch energise energize energy lively excited exciting euphoric party "
    "dance workout running sport upbeat",
    (-0.6, -0.5): "sad melancholy melancholic sorrowful gloomy lonely bittersweet blue",
    (-0.5, 0.0): "dark sombre somber moody mysterious",
    (-0.6, 0.6): "tense anxious dramatic epic suspenseful nervous",
    (-0.7, 0.85): "angry aggressive furious intense violent",
}
"""Own choice after the circumplex of Russell (1980); people's own sidecar values override it."""

MOOD_WORDS: Mapping[str, Mood] = MappingProxyType(
    {word: Mood(*point) for point, words in _TABLE.items() for word in words.split()}
)


def mood_of_words(text: str) -> Mood | None:
    """The mean of the mood words in a text such as ``Calm; Dreamy``; None if there is none."""
    found = [MOOD_WORDS[word] for word in re.findall(r"[a-z]+", text.lower()[:400]) if word in MOOD_WORDS]
    if not found:
        return None
    valence = sum(mood.valence or 0.0 for mood in found) / len(found)
    return Mood(round(valence, 3), round(sum(mood.arousal for mood in found) / len(found), 3))
