"""From a reason's codes and numbers to a plain sentence and its figures, in the page's language. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from daemon.mqtt import documents
from daemon.safe_text import shown
from daemon.web.texts import Texts
from player.choice.policies import RULES
from player.choice.reasons import because, figures, place
from player.music import Mood, PolicyName, Reason, ReasonNote, Target

NOTES: frozenset[str] = frozenset(get_args(ReasonNote))
MAX_WHY = 600


@dataclass(frozen=True, slots=True)
class Why:
    """What is said first, and what stands behind it: how the track stood among others, and the figures."""

    sentence: str
    more: tuple[str, ...]

    @property
    def whole(self) -> str:
        """All but the figures, in one go."""
        return " ".join((self.sentence, *self.more[:1]))


def why(found: documents.Decision | documents.Chosen, track: str, mood: Mood | None, texts: Texts) -> Why:
    """Why a track was chosen. ``track`` is what it is called; ``mood`` where it lies in the plane.

    A reason of a newer player, whose codes nobody here knows, is told in the player's own words.
    """
    reason = _reason(found)
    if reason is None:
        return Why(shown(found.why, MAX_WHY), ())

    def words(key: str) -> str:
        return texts(f"why.{key}")

    sentence = _begun(shown(because(track, reason, words), MAX_WHY))
    stood = _begun(place(track, reason, words))
    return Why(sentence, (stood, *figures(reason, mood, words)) if stood else ())


def _begun(text: str) -> str:
    """A sentence may begin with what the track is called."""
    return text[:1].upper() + text[1:]


def _reason(found: documents.Decision | documents.Chosen) -> Reason | None:
    said = found.reason
    if said.note not in NOTES or found.policy not in RULES:
        return None
    policy: PolicyName = found.policy
    by_hand = not RULES[policy].follows_wearer and said.target is None
    return Reason(
        note=said.note,  # type: ignore[arg-type]  # one of them, as was just looked
        wearer=said.wearer,
        mood=None if said.arousal is None else Mood(said.valence, said.arousal),
        confidence=said.confidence,
        policy=policy,
        target=None if said.target is None else Target(said.target, Mood(None, 0.0)),
        aim=None if by_hand else Mood(found.aim_valence, found.aim_arousal),
        weighed=said.weighed,
        rank=said.rank,
        all_banned=said.all_banned,
        start_s=said.start_s,
        known=said.known,
        failed=said.failed,
    )
