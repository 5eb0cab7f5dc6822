"""From signal quality to a head with coloured electrodes, reasons and what to do about them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from daemon.mqtt import documents, topics
from daemon.safe_text import clock_time, shown
from daemon.web.state.live_state import LiveState
from daemon.web.texts import Texts
from daemon.web.views.electrodes import places

Grade = Literal["good", "fair", "bad", "unknown"]
MAX_ELECTRODES = 64
FRESH_S = 5.0
GOOD, FAIR = 0.8, 0.5
"""Below 0.5 the engine does not use an electrode; above 0.8 nothing is to be done."""


@dataclass(frozen=True, slots=True)
class ElectrodeView:
    """One electrode: place in a head of radius 1, grade, why and what to do."""

    channel: str
    x: float
    y: float
    grade: Grade
    score: float
    word: str
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class RestView:
    """Where the guided rest stands. ``held`` True: the signal does not count just now."""

    phase: Literal["waiting", "resting", "done", "stopped", "ended"]
    headline: str
    detail: str
    share: float
    left_s: float
    held: bool


@dataclass(frozen=True, slots=True)
class FitView:
    """The whole head, and in one sentence whether it may begin."""

    fresh: bool
    headline: str
    detail: str
    electrodes: tuple[ElectrodeView, ...]
    device: str


def fit_view(state: LiveState, texts: Texts) -> FitView:
    """What the newest signal document says, or grey electrodes when it is old."""
    signal = state.newest(documents.Signal, topics.SIGNAL)
    headset = state.newest(documents.Headset, topics.HEADSET)
    age_s = state.age_s(topics.SIGNAL)
    fresh = signal is not None and age_s is not None and age_s < FRESH_S and state.online.get("engine", True)
    device = shown(headset.device or headset.source, 60) if headset else ""
    if signal is None or not fresh:
        names = headset.channels if headset else []
        grey = tuple(_view(documents.Electrode(channel=n, score=0, reasons=[]), texts, False) for n in names)
        return FitView(False, texts("fit.no_signal"), texts("fit.no_signal_detail"), _placed(grey), device)
    electrodes = _placed(tuple(_view(electrode, texts, True) for electrode in signal.electrodes))
    poor = [electrode for electrode in electrodes if electrode.grade == "bad"]
    if not signal.worn:
        headline, detail = texts("fit.not_worn"), texts("fit.not_worn_detail")
    elif poor:
        those = ", ".join(electrode.channel for electrode in poor[:6])
        headline, detail = texts("fit.some_poor", names=those), texts("fit.some_poor_detail")
    elif "unknown" not in (signal.eyes, signal.rest_eyes) and signal.eyes != signal.rest_eyes:
        headline, detail = texts(f"fit.eyes_{signal.eyes}"), texts(f"fit.eyes_{signal.eyes}_detail")
    else:
        headline, detail = texts("fit.all_good"), texts("fit.all_good_detail")
    return FitView(True, headline, detail, electrodes, device)


def _view(electrode: documents.Electrode, texts: Texts, fresh: bool) -> ElectrodeView:
    grade: Grade = "unknown"
    if fresh:
        grade = "good" if electrode.score >= GOOD else "fair" if electrode.score >= FAIR else "bad"
    reasons = [name for name in electrode.reasons if texts.has(f"reason.{name}")]
    told = ", ".join(texts(f"reason.{name}") for name in reasons)
    advice = texts(f"advice.{reasons[0]}") if reasons and grade != "good" else ""
    return ElectrodeView(
        channel=shown(electrode.channel, 12),
        x=0.0,
        y=0.0,
        grade=grade,
        score=electrode.score,
        word=texts(f"grade.{grade}"),
        reason=told,
        advice=advice,
    )


def _placed(electrodes: tuple[ElectrodeView, ...]) -> tuple[ElectrodeView, ...]:
    few = electrodes[:MAX_ELECTRODES]
    spots = places([electrode.channel for electrode in few])
    return tuple(
        ElectrodeView(e.channel, spot.x, spot.y, e.grade, e.score, e.word, e.reason, e.advice)
        for e, spot in zip(few, spots, strict=True)
    )


def recording_ended(state: LiveState) -> bool:
    """Whether the recording that was replayed has come to its end, so that nothing follows any more."""
    headset = state.newest(documents.Headset, topics.HEADSET)
    return headset is not None and headset.state == "ended"


def rest_view(state: LiveState, texts: Texts) -> RestView:
    """The guided rest with its countdown; only trusted seconds count."""
    session = state.newest(documents.Session, topics.SESSION)
    emotion = state.newest(documents.Emotion, topics.EMOTION)
    if session is None or session.phase == "waiting" or not state.online.get("engine", True):
        return RestView("waiting", texts("rest.waiting"), texts("rest.waiting_detail"), 0.0, 0.0, False)
    if session.phase == "stopped":
        return RestView("stopped", texts("rest.stopped"), texts("rest.stopped_detail"), 0.0, 0.0, False)
    if recording_ended(state) and not session.baseline_done:
        return RestView("ended", texts("rest.ended"), texts("rest.ended_detail"), 0.0, 0.0, False)
    if session.baseline_done:
        return RestView("done", texts("rest.done"), texts("rest.done_detail"), 1.0, 0.0, False)
    wanted_s = max(session.baseline_wanted_s, 1e-9)
    left_s = max(0.0, session.baseline_wanted_s - session.baseline_trusted_s)
    held = emotion is not None and emotion.status == "unreliable"
    return RestView(
        "resting",
        texts("rest.resting", left=clock_time(left_s + 0.999)),
        texts("rest.held" if held else "rest.resting_detail"),
        min(1.0, session.baseline_trusted_s / wanted_s),
        left_s,
        held,
    )
