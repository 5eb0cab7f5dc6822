"""From what is known of the wearer to what the session page says and draws. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from daemon.mqtt import documents, topics
from daemon.safe_text import clock_time
from daemon.web.state.live_state import LiveState, TrailPoint
from daemon.web.texts import Texts
from daemon.web.views.fit_view import recording_ended
from player.choice.reason_words import level_of, side_of

SILENT_S = 25.0
"""The engine repeats its state each 10 s: after two that failed to come, nothing is claimed any more."""
LEAST_SPREAD = 0.06
TRAIL_S = 120.0
SURE = ((0.85, "very"), (0.7, "sure"), (0.58, "fairly"), (0.0, "guess"))


@dataclass(frozen=True, slots=True)
class MoodView:
    """Where the wearer is, in words and numbers.

    ``known`` False: the plane is grey and ``last`` may hold where the wearer was. ``valence`` None: only the
    arousal is known, and the page draws a line across the plane. Spreads are half widths of the area drawn.
    """

    known: bool
    word: str
    headline: str
    detail: str
    sureness: str
    confidence: float
    valence: float | None
    arousal: float | None
    spread_valence: float
    spread_arousal: float
    trail: tuple[TrailPoint, ...]
    last: TrailPoint | None
    simulated: bool
    since_s: float
    rest_share: float | None
    model: str


def mood_view(state: LiveState, texts: Texts) -> MoodView:
    """What may honestly be said now."""
    emotion = state.newest(documents.Emotion, topics.EMOTION)
    session = state.newest(documents.Session, topics.SESSION)
    age_s = state.age_s(topics.EMOTION)
    engine_up = state.online.get("engine", emotion is not None)
    fresh = emotion is not None and engine_up and age_s is not None and age_s < SILENT_S
    now_s = state.clock()
    trail = tuple(point for point in state.trail if now_s - point.at_s <= TRAIL_S)
    if recording_ended(state):
        return _unknown(state, emotion, trail, texts("mood.unknown"), texts("health.headset_ended"))
    if emotion is None or not fresh:
        return _unknown(
            state, emotion, trail, texts("mood.unknown"), texts("mood.silent" if emotion else "mood.nothing")
        )
    if emotion.status != "ok" or emotion.arousal is None:
        return _unknown(state, emotion, trail, *_reason(emotion, session, texts), session=session)
    spread = _spread(state.recent_opinions(), emotion)
    return MoodView(
        known=True,
        word=texts(f"history.mood_{emotion.emotion if emotion.emotion != 'unknown' else 'undecided'}"),
        headline=texts(f"mood.is_{emotion.emotion}"),
        detail=_detail(emotion, texts),
        sureness=_sureness(emotion, texts),
        confidence=emotion.confidence,
        valence=emotion.valence,
        arousal=emotion.arousal,
        spread_valence=1.0 if emotion.valence is None else max(spread, 0.15),
        spread_arousal=spread,
        trail=trail,
        last=None,
        simulated=emotion.simulated,
        since_s=max(0.0, (emotion.at - emotion.since).total_seconds() + (age_s or 0.0)),
        rest_share=None,
        model=emotion.model.name,
    )


def _unknown(
    state: LiveState,
    emotion: documents.Emotion | None,
    trail: tuple[TrailPoint, ...],
    headline: str,
    detail: str,
    session: documents.Session | None = None,
) -> MoodView:
    resting = session is not None and session.phase == "calibrating" and session.baseline_wanted_s > 0
    share = session.baseline_trusted_s / session.baseline_wanted_s if session and resting else None
    return MoodView(
        known=False,
        word=headline,
        headline=headline,
        detail=detail,
        sureness="",
        confidence=0.0,
        valence=None,
        arousal=None,
        spread_valence=1.0,
        spread_arousal=1.0,
        trail=trail,
        last=state.trail[-1] if state.trail else None,
        simulated=emotion.simulated if emotion else False,
        since_s=0.0,
        rest_share=None if share is None else min(1.0, share),
        model=emotion.model.name if emotion else "",
    )


def _reason(emotion: documents.Emotion, session: documents.Session | None, texts: Texts) -> tuple[str, str]:
    """Headline and detail of a state that claims nothing."""
    if session is not None and session.phase == "stopped":
        return texts("mood.stopped"), texts("mood.stopped_detail")
    if session is not None and session.phase == "calibrating" and emotion.status != "unreliable":
        left_s = max(0.0, session.baseline_wanted_s - session.baseline_trusted_s)
        return texts("mood.resting"), texts("mood.resting_detail", left=clock_time(left_s))
    key = emotion.status if emotion.status != "ok" else "warming_up"
    return texts("mood.unknown"), texts(f"mood.{key}")


def _detail(emotion: documents.Emotion, texts: Texts) -> str:
    """On the one scale that reasons and music are told on, too."""
    level = texts(f"why.level_{level_of(emotion.arousal or 0.0)}")
    if emotion.valence is None:
        return f"{level} · {texts('valence.unknown')}"
    side = side_of(emotion.valence)
    return f"{level} · {texts(f'why.{side}') if side else texts('valence.between')}"


def _sureness(emotion: documents.Emotion, texts: Texts) -> str:
    """One number and one word for it; where no mood is named, no word praises the number."""
    percent = round(100 * emotion.confidence)
    if emotion.emotion == "unknown":
        return texts("mood.undecided_confidence", percent=percent)
    word = next(word for edge, word in SURE if emotion.confidence >= edge)
    return texts("mood.confidence_value", percent=percent, word=texts(f"sure.{word}"))


def _spread(opinions: list[float], emotion: documents.Emotion) -> float:
    """How far the single windows of the last 20 s lie from the settled value (root mean square).

    Without enough of them the confidence stands in: at 0.5 the area is as wide as a coin toss deserves.
    """
    arousal = emotion.arousal or 0.0
    if len(opinions) >= 5:
        spread = math.sqrt(sum((one - arousal) ** 2 for one in opinions) / len(opinions))
    else:
        spread = 1.6 * (1.0 - max(0.5, emotion.confidence))
    return min(1.0, max(LEAST_SPREAD, spread))
