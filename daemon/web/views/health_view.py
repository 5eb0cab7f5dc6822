"""What is wrong, if anything, in the words of the banner at the top. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from daemon.mqtt import documents, topics
from daemon.safe_text import shown
from daemon.web.state.live_state import LiveState
from daemon.web.texts import Texts
from daemon.web.views.mood_view import SILENT_S

Level = Literal["good", "fair", "bad"]
STARTING_S = 8.0
ERROR_SHOWN_S = 12.0
MAX_DEGRADED = 2


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that is wrong and what it means for the listener."""

    level: Level
    text: str


def notices(state: LiveState, texts: Texts, up_s: float) -> tuple[Notice, ...]:
    """Everything a person should know now, the worst first. ``up_s``: how long the page is being served."""
    if not state.linked:
        return (Notice("bad", texts("health.no_broker")),) if up_s > STARTING_S else ()
    found = [
        *_roles(state, texts, up_s),
        *_headset(state, texts),
        *_late(state, texts),
        *_music(state),
        *_refusals(state, texts),
    ]
    return tuple(sorted(found, key=lambda notice: ("bad", "fair", "good").index(notice.level)))


def _roles(state: LiveState, texts: Texts, up_s: float) -> list[Notice]:
    up_yet = up_s < STARTING_S
    missing = [role for role in ("engine", "player") if not state.online.get(role, up_yet)]
    found = [Notice("bad", texts(f"health.no_{role}")) for role in missing]
    age_s = state.age_s(topics.EMOTION)
    if not found and age_s is not None and age_s > SILENT_S:
        found.append(Notice("bad", texts("health.silent_engine", seconds=round(age_s))))
    return found


def _headset(state: LiveState, texts: Texts) -> list[Notice]:
    headset = state.newest(documents.Headset, topics.HEADSET)
    if headset is None or not state.online.get("engine", True):
        return []
    device = shown(headset.device or headset.source, 60) or texts("headset.some")
    found = []
    if headset.state in ("stale", "lost", "incompatible", "ended"):
        reason = shown(headset.reason, 200)
        text = texts(f"health.headset_{headset.state}", device=device)
        found.append(Notice("bad" if headset.state == "lost" else "fair", f"{text} {reason}".strip()))
    elif headset.battery_percent is not None and headset.battery_percent < 15:
        found.append(Notice("fair", texts("health.battery", percent=round(headset.battery_percent))))
    return found


def _late(state: LiveState, texts: Texts) -> list[Notice]:
    session = state.newest(documents.Session, topics.SESSION)
    late = session is not None and session.late and state.online.get("engine", True)
    return [Notice("fair", texts("health.late"))] if late else []


def _music(state: LiveState) -> list[Notice]:
    """What the player has to do without."""
    player = state.newest(documents.PlayerState, topics.PLAYER_STATE)
    if player is None or not state.online.get("player", True):
        return []
    return [Notice("fair", shown(note, 200)) for note in player.degraded[:MAX_DEGRADED]]


def _refusals(state: LiveState, texts: Texts) -> list[Notice]:
    now_s = state.clock()
    return [
        Notice(
            "fair", texts("health.refused", command=shown(error.command, 30), error=shown(error.error, 200))
        )
        for at_s, error in list(state.errors)[-1:]
        if now_s - at_s < ERROR_SHOWN_S
    ]


def simulated(state: LiveState) -> bool:
    """Whether any newest document says that no person is behind it."""
    return any(found.simulated for found in _of_the_wearer(state))


def replayed(state: LiveState) -> bool:
    """Whether any newest document says that its EEG is a recording's."""
    return any(found.replayed for found in _of_the_wearer(state))


def _of_the_wearer(state: LiveState) -> list[documents.Document]:
    kinds: tuple[tuple[type[documents.Document], str], ...] = (
        (documents.Headset, topics.HEADSET),
        (documents.Emotion, topics.EMOTION),
        (documents.Session, topics.SESSION),
    )
    return [found for kind, name in kinds if (found := state.newest(kind, name)) is not None]
