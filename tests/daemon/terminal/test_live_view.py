"""What the terminal view shows of a session's documents."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from daemon.mqtt.documents import LATE_NOTE
from daemon.terminal.live_view import ENDS_VIEW, LiveView
from daemon.terminal.plain_view import PlainLines

ELECTRODES = [
    {"channel": "TP9", "score": 0.9, "reasons": []},
    {"channel": "AF7", "score": 0.1, "reasons": ["line_noise"]},
]


def emotion(**changes: Any) -> dict[str, Any]:
    base = {"emotion": "focused", "status": "ok", "arousal": 0.5, "valence": None, "confidence": 0.8}
    return base | {"simulated": True} | changes


def track(title: str, arousal: float) -> dict[str, Any]:
    mood = {"valence": 0.1, "arousal": arousal}
    return {"title": title, "artist": "", "duration_s": 60.0, "mood": mood}


def player(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "track": track("First Light", 0.6),
        "next": track("Slow Tide", -0.8),
        "position_s": 10.0,
        "paused": False,
        "fading": None,
        "policy": "match",
        "target": None,
        "degraded": [],
        "output": "null",
    }
    return base | {"simulated": True} | changes


def screen(view: LiveView, width: int = 100, height: int = 30) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    console.print(view.render(width, height), height=height)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


class Now:
    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def view(now: Now) -> LiveView:
    return LiveView(["MQTT: mqtt://127.0.0.1:1883"], clock=now)


def test_before_anything_is_known_it_claims_nothing(view: LiveView) -> None:
    shown = screen(view)
    assert "UNKNOWN" in shown
    assert "waiting for the engine" in shown
    assert "SIMULATED" not in shown


def test_mood_electrodes_music_next_and_why(view: LiveView) -> None:
    view.show("headset", {"state": "streaming", "reason": "", "battery_percent": 80.0, "simulated": True})
    view.show("signal", {"electrodes": ELECTRODES, "worn": True, "simulated": True})
    view.show("emotion", emotion())
    view.show("player/state", player())
    view.show("player/decision", {"why": "because you seem engaged"})
    shown = screen(view)
    for words in ("FOCUSED", "80%", "line noise", "First Light", "Slow Tide", "because you seem engaged"):
        assert words in shown
    assert "SIMULATED WEARER" in shown


def test_a_real_wearer_is_not_called_simulated(view: LiveView) -> None:
    view.show("emotion", emotion(simulated=False))
    assert "SIMULATED" not in screen(view)


def test_the_rest_is_guided_with_a_countdown(view: LiveView) -> None:
    view.show("emotion", emotion(emotion="unknown", status="calibrating", arousal=None, confidence=0.0))
    view.show("session", {"phase": "calibrating", "baseline_wanted_s": 45.0, "baseline_trusted_s": 15.0})
    shown = screen(view)
    assert "learning your rest" in shown
    assert "30 s to go" in shown


def test_the_position_runs_on_between_documents(view: LiveView, now: Now) -> None:
    view.show("player/state", player())
    now.s += 5
    assert "0:15" in screen(view)
    view.show("player/state", player(paused=True))
    now.s += 5
    assert "0:10" in screen(view)


def test_the_way_of_the_wearer_is_drawn(view: LiveView, now: Now) -> None:
    for arousal in (-0.9, 0.9):
        view.show("emotion", emotion(arousal=arousal))
        now.s += 60
    lines = screen(view, height=34).splitlines()
    high = next(number for number, line in enumerate(lines) if "engaged" in line and "│" in line)
    low = next(number for number, line in enumerate(lines) if " calm" in line)
    drawn = [number for number, line in enumerate(lines) if any("\u2801" <= c <= "\u28ff" for c in line)]
    assert high <= drawn[0] <= high + 2
    assert low - 2 <= [number for number in drawn if number <= low][-1] <= low


def test_an_engine_that_died_is_said(view: LiveView) -> None:
    view.show_availability("engine", online=False)
    assert "the engine is being started again" in screen(view)
    view.show_availability("engine", online=True)
    assert "started again" not in screen(view)


@pytest.mark.parametrize(("width", "height"), [(72, 20), (80, 24), (200, 60), (40, 10)])
def test_any_size_of_terminal_can_be_drawn(view: LiveView, width: int, height: int) -> None:
    view.show("emotion", emotion())
    view.show("player/state", player())
    assert screen(view, width, height)


def test_plain_lines_say_only_what_is_new() -> None:
    lines: list[str] = []
    plain = PlainLines(lines.append)
    plain.show("emotion", emotion())
    plain.show("emotion", emotion())
    plain.show("emotion", emotion(emotion="relaxed", arousal=-0.5))
    plain.show_availability("engine", online=True)
    plain.show_availability("engine", online=False)
    assert len(lines) == 3
    assert "[simulated]" in lines[0]
    assert "relaxed" in lines[1]
    assert "engine" in lines[2]


@pytest.mark.parametrize("height", [24, 27, 34])
def test_the_foot_tells_how_to_end_and_all_that_was_found(height: int, now: Now) -> None:
    headline = [
        "Headset: none was found (switch it on; --source names one), so the wearer is simulated",
        "Music: eight demo tracks (name a folder with --music)",
        "Sound: no sound device was found, so the music plays unheard (--output wav:FILE records it)",
        "MQTT: mqtt://127.0.0.1:18830 (own embedded broker, MQTT 3.1.1), topics neuroplayer/home/#",
        "Page: http://127.0.0.1:8765",
    ]
    words = " ".join(screen(LiveView(headline, clock=now), width=80, height=height).split())
    for told in (
        "Headset: none was found",
        "no sound device was found, so the music plays unheard",
        "mqtt://127.0.0.1:18830",
        "http://127.0.0.1:8765",
        "Ctrl-C ends the session",
    ):
        assert told in words


def test_who_only_looks_ends_nothing(now: Now) -> None:
    words = screen(LiveView([], ending=ENDS_VIEW, clock=now))
    assert "Ctrl-C ends this view; the session goes on" in words


@pytest.mark.parametrize("phase", ["calibrating", "running"])
def test_the_last_electrode_is_seen_in_24_rows(phase: str, view: LiveView) -> None:
    reasons = ["line_noise", "muscle", "loose"]
    electrodes = [{"channel": c, "score": 0.1, "reasons": reasons} for c in ("TP9", "AF7", "AF8", "TP10")]
    view.show("headset", {"state": "streaming", "reason": "", "battery_percent": 80.0, "simulated": True})
    view.show("signal", {"electrodes": electrodes, "worn": False, "simulated": True})
    status = "calibrating" if phase == "calibrating" else "unreliable"
    view.show("emotion", emotion(emotion="unknown", status=status, arousal=None))
    view.show("session", {"phase": phase, "baseline_wanted_s": 45.0, "baseline_trusted_s": 15.0})
    shown = screen(view, width=80, height=24)
    assert "TP10" in shown


def test_a_recording_that_ended_leaves_no_countdown(view: LiveView) -> None:
    view.show("session", {"phase": "calibrating", "baseline_wanted_s": 45.0, "baseline_trusted_s": 30.0})
    assert "15 s to go" in screen(view)
    view.show("headset", {"state": "ended", "reason": "", "battery_percent": None})
    assert "to go" not in screen(view)


def test_who_comes_late_reads_why_in_the_state(view: LiveView) -> None:
    view.show("player/state", player(chosen={"why": "because you seem calm"}))
    assert "because you seem calm" in screen(view)


def test_a_broker_that_is_gone_is_told_above_all() -> None:
    view = LiveView([])
    view.show("emotion", emotion())
    assert "broker" not in screen(view)
    view.broker_gone = True
    assert "the broker is gone: nothing new is shown, the music goes on" in screen(view, width=160)


def test_a_late_engine_is_told(view: LiveView) -> None:
    view.show("session", {"phase": "running", "notes": ["x"], "late": True, "simulated": True})
    assert "too busy" in screen(view)
    view.show("session", {"phase": "running", "notes": [LATE_NOTE], "late": False, "simulated": True})
    assert "too busy" not in screen(view)


@pytest.mark.parametrize("width", [80, 81, 83, 110])
def test_no_letter_of_the_reason_is_lost(width: int, view: LiveView) -> None:
    why = "It begins calmly. “Slow Tide” by Composed by code (very calm) is fit number 2, for variety, of 8."
    view.show("player/state", player(next=track("A very long title " * 9, 0.1), degraded=["no sound " * 20]))
    view.show("player/decision", {"why": why})
    shown = screen(view, width=width, height=24)
    assert set(why.split()) <= set(shown.split())
    assert "…" in shown
    assert "no sound no sound" in shown
