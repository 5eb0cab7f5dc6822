"""An evening stays one, its figures agree, and a recording that ended is said to have ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemon.mqtt import documents, topics
from daemon.web.state import session_records as records
from daemon.web.state.live_state import LiveState
from daemon.web.state.session_log import EVENING_S, SessionLog, session_names
from daemon.web.texts import Texts
from daemon.web.views.fit_view import rest_view
from daemon.web.views.history_view import summary
from daemon.web.views.mood_view import mood_view
from support.browser import talker as say

BEGAN = datetime(2026, 3, 1, 20, 0, 0, tzinfo=UTC)


class Evening:
    """A log that hears what the page hears, through the page's own state."""

    def __init__(self, folder: Path) -> None:
        self.at = BEGAN
        self.log = SessionLog(folder, "home", lambda: self.at)
        self.state = LiveState(self.now_s)
        self.state.listeners.append(self.log.on_document)
        self.state.followers.append(self.log.on_availability)
        self.state.on_message(topics.ENGINE_AVAILABILITY, topics.ONLINE)

    def now_s(self) -> float:
        return self.at.timestamp()

    def hear(self, *found: documents.Document) -> None:
        for document in found:
            self.log.on_document("", document)

    def engine(self, *, up: bool) -> None:
        self.state.on_message(topics.ENGINE_AVAILABILITY, topics.ONLINE if up else topics.OFFLINE)


@pytest.fixture
def evening(tmp_path: Path) -> Iterator[Evening]:
    found = Evening(tmp_path / "history")
    yield found
    found.log.close()


def test_an_engine_that_dies_does_not_cut_the_evening(evening: Evening) -> None:
    evening.hear(say.session(started=BEGAN), say.emotion())
    evening.at += timedelta(minutes=20)
    evening.engine(up=False)
    evening.at += timedelta(seconds=5)
    evening.engine(up=True)
    evening.hear(say.session("waiting", started=None), say.session(started=evening.at), say.emotion())
    evening.at += timedelta(minutes=5)
    evening.hear(say.emotion(emotion="focused"))
    assert session_names(evening.log.folder) == ["20260301T200000Z"]


@pytest.mark.parametrize("ended", ["stopped", "long-gone"])
def test_what_a_person_ended_is_over(evening: Evening, ended: str) -> None:
    evening.hear(say.session(started=BEGAN), say.emotion())
    evening.at += timedelta(minutes=20)
    if ended == "stopped":
        evening.hear(say.session("stopped", started=BEGAN))
    evening.engine(up=False)
    evening.at += timedelta(seconds=5 if ended == "stopped" else EVENING_S + 1)
    evening.hear(say.session(started=evening.at), say.emotion())
    assert len(session_names(evening.log.folder)) == 2


def test_what_is_known_and_what_is_not_make_a_hundred() -> None:
    def mood(at_s: float, name: str, arousal: float | None) -> records.MoodRecord:
        return records.MoodRecord(t=at_s, e=name, s="ok", a=arousal, v=None, c=0.8)

    kept = [
        *(mood(at_s, "relaxed", -0.4) for at_s in range(0, 600, 10)),
        *(mood(at_s, "unknown", 0.1) for at_s in range(600, 670, 10)),
        *(mood(at_s, "unknown", None) for at_s in range(670, 710, 10)),
        *(mood(at_s, "focused", 0.5) for at_s in range(710, 1000, 10)),
    ]
    figures = summary(kept)
    assert figures is not None
    shares = dict(figures.moods)
    assert sum(round(100 * share) for share in shares.values()) == 100
    assert round(100 * figures.known_share) == 100 - round(100 * shares["unknown"])
    assert shares["undecided"] == pytest.approx(0.07, abs=0.01)
    assert shares["unknown"] == pytest.approx(0.04, abs=0.01)


def test_silence_is_not_known_either() -> None:
    kept = [
        records.MoodRecord(t=0, e="relaxed", s="ok", a=-0.4, v=None, c=0.8),
        records.QualityRecord(t=300, q=1.0, worn=True),
    ]
    figures = summary(kept)
    assert figures is not None
    assert dict(figures.moods) == {"unknown": 0.9, "relaxed": 0.1}
    assert figures.known_share == pytest.approx(0.1)


def test_a_replay_that_ends_in_the_rest_counts_down_no_more(state: LiveState, words: Texts) -> None:
    for document in (
        say.session("calibrating", 30.0),
        say.emotion(status="calibrating", arousal=None, emotion="unknown"),
        say.headset("ended", replayed=True),
    ):
        state.on_message(say.NAMES[type(document)], say.codec.encode(document))
    rest, mood = rest_view(state, words), mood_view(state, words)
    assert rest.phase == "ended"
    assert "0:15" not in rest.headline + rest.detail
    assert mood.rest_share is None
    assert mood.detail == words("health.headset_ended")
