"""Cues are due as a rest begins and ends, and when a headset stays away; nobody is told who is not there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import pytest

from daemon.mqtt import bounds, documents
from daemon.music.announcement_watch import GONE_S, LOST_APART_S, AnnouncementWatch

Phase = Literal["waiting", "calibrating", "running", "stopped"]


def session(
    phase: Phase, trusted_s: float = 0.0, wanted_s: float = 45.0, *, simulated: bool = False
) -> documents.Session:
    return documents.Session(
        at=datetime.now(UTC),
        simulated=simulated,
        active=True,
        phase=phase,
        started=None,
        baseline_wanted_s=wanted_s,
        baseline_trusted_s=trusted_s,
        baseline_done=phase == "running",
        model=None,
        notes=[],
        recording=False,
        dwell_s=None,
        late=False,
    )


def headset(
    state: bounds.HeadsetState = "streaming", source: str = "lsl:Muse", *, simulated: bool = False
) -> documents.Headset:
    return documents.Headset(
        at=datetime.now(UTC),
        simulated=simulated,
        state=state,
        source=source,
        device="",
        rate_hz=256.0,
        channels=[],
        battery_percent=None,
        gap_s=None,
        reason="",
    )


def heard(*documents: documents.Document, age_s: float = 0.0) -> list[str | None]:
    """What is due after each document, a second apart."""
    watch = AnnouncementWatch()
    cues = []
    for now_s, document in enumerate(documents):
        watch.on_document(document, age_s, float(now_s))
        cues.append(watch.due(float(now_s)))
    return cues


def test_a_rest_begins_and_ends_once() -> None:
    phases = [session("waiting", wanted_s=0), session("calibrating"), session("calibrating", 20)]
    said = heard(headset(), *phases, session("running", 45), session("running", 45), session("calibrating"))
    assert said == [None, None, "rest_begin", None, "rest_end", None, "rest_begin"]


def test_the_order_of_what_a_broker_kept_does_not_matter() -> None:
    assert heard(session("calibrating"), headset()) == [None, "rest_begin"]


@pytest.mark.parametrize("trusted_s", [6.0, 40.0])
def test_a_player_that_comes_midway_does_not_say_that_the_rest_begins(trusted_s: float) -> None:
    said = heard(headset(), session("calibrating", trusted_s), session("running", 45))
    assert said == [None, None, "rest_end"]


def test_what_is_old_is_not_told() -> None:
    assert heard(headset(), session("calibrating"), age_s=60.0) == [None, None]


def test_without_a_rest_there_is_nothing_to_tell() -> None:
    assert heard(headset(), session("calibrating", wanted_s=0), session("running", wanted_s=0)) == [None] * 3


@pytest.mark.parametrize(
    "there", [headset(simulated=True, source="simulated"), headset(source="replay:a.csv")]
)
def test_nobody_is_told_who_is_not_there(there: documents.Headset) -> None:
    watch = AnnouncementWatch()
    for now_s, document in enumerate([there, session("calibrating"), session("running"), headset("stale")]):
        watch.on_document(document, 0.0, float(now_s))
        assert watch.due(float(now_s)) is None
    assert watch.due(1000.0) is None


def test_a_headset_that_stays_away_is_told_once_and_so_is_its_return() -> None:
    watch = AnnouncementWatch()
    watch.on_document(headset(), 0.0, 0.0)
    watch.on_document(headset("stale"), 0.0, 1.0)
    assert watch.due(1.0 + GONE_S / 2) is None
    watch.on_document(headset("lost"), 0.0, 5.0)
    assert watch.due(1.0 + GONE_S) == "headset_lost"
    assert watch.due(100.0) is None
    watch.on_document(headset(), 0.0, 101.0)
    assert watch.due(101.0) == "headset_back"
    assert watch.due(102.0) is None


def test_a_short_gap_is_not_told_and_a_flapping_link_only_now_and_then() -> None:
    watch = AnnouncementWatch()
    told = []
    for second in range(600):
        watch.on_document(
            headset("stale" if second % 20 < 15 and second else "streaming"), 0.0, float(second)
        )
        told.append(watch.due(float(second)))
    assert 1 <= told.count("headset_lost") <= 600 / LOST_APART_S + 1
    assert told.count("headset_back") <= told.count("headset_lost")
    short = AnnouncementWatch()
    for second in range(60):
        short.on_document(headset("stale" if second % 6 < 5 else "streaming"), 0.0, float(second))
        assert short.due(float(second)) is None
