from __future__ import annotations

from typing import Any

from daemon.terminal.session_summary import SessionSummary


class Now:
    s = 0.0

    def __call__(self) -> float:
        return self.s


def emotion(name: str, *, simulated: bool = False) -> dict[str, Any]:
    return {"emotion": name, "simulated": simulated}


def test_moods_are_weighed_by_how_long_they_lasted() -> None:
    now = Now()
    summary = SessionSummary(now)
    summary.on_document("emotion", emotion("relaxed"))
    now.s = 30.0
    summary.on_document("emotion", emotion("focused"))
    now.s = 40.0
    lines = summary.lines()
    assert lines[0] == "Session of 0 min 40 s."
    assert lines[1] == "Mood: relaxed 75 %, focused 25 %."
    assert summary.facts()["moods_s"] == {"relaxed": 30.0, "focused": 10.0}


def test_a_simulated_wearer_is_named_and_tracks_are_counted_once() -> None:
    summary = SessionSummary(Now())
    summary.on_document("emotion", emotion("unknown", simulated=True))
    for title in ("One", "One", "Two"):
        summary.on_document("player/state", {"track": {"title": title}})
    summary.on_document("player/decision", {"kind": "mood_change"})
    told = "\n".join(summary.lines())
    assert "with a simulated wearer" in told
    assert "Music: 2 tracks, 1 changed for the mood; last Two." in told


def test_long_sessions_and_losses() -> None:
    now = Now()
    summary = SessionSummary(now)
    summary.on_document("headset", {"state": "lost"})
    now.s = 3 * 3600 + 59.7
    told = summary.lines()
    assert told[0] == "Session of 181 min 0 s."
    assert "The headset was lost 1 time." in told
