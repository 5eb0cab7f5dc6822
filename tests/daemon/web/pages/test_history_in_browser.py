"""The history in a real Chromium: names that come with the zoom, and the reason for every choice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from daemon.web.state import session_records as records
from daemon.web.state.session_log import session_names
from support.browser import talker as say
from support.browser.live_page import LivePage
from support.browser.sheet import PHONE, Sheet, chart, fits, reads, resting_box, soon, until
from support.browser.talker import eventually

pytestmark = [pytest.mark.browser, pytest.mark.broker]

SESSION = "20260201T200000Z"
BEGAN_S = 1769976000.0
EVIL = "<img src=x onerror=alert(1)> {a|b} {{7*7}}"
ZOOM = "dispatchAction({{type: 'dataZoom', start: {}, end: {}}})"
DECISIONS = "getOption().series.find((one) => one.id === 'decisions')"
WRITTEN = "getZr().storage.getDisplayList(true).map((one) => one.style.text || '').join('\\n')"


@pytest.fixture
def session(page: LivePage) -> str:
    """Two hours with forty tracks, the tenth with a name from an enemy."""
    page.talker.all_is_well()
    kept: list[records.Record] = [records.StartRecord(t=BEGAN_S, node="home", simulated=True)]
    for number in range(40):
        at_s = BEGAN_S + 180 * number
        title = EVIL if number == 10 else f"A rather long name of piece number {number}"
        kind = "mood_change" if number % 5 == 0 else "next"
        kept += [
            records.MoodRecord(t=at_s, e="relaxed", s="ok", a=(number % 7) / 7, v=None, c=0.8),
            records.QualityRecord(t=at_s, q=0.9, worn=True),
            records.DecisionRecord(
                t=at_s + 1, kind=kind, title=title, why=f"Reason {number} for “{title[:60]}”."
            ),
            records.TrackRecord(t=at_s + 2, id=f"t{number}", title=title, artist="<b>x</b>", a=0.1, v=None),
        ]
    kept.append(records.QualityRecord(t=BEGAN_S + 7200, q=1.0, worn=True))
    folder = page.folder / "state" / "wearers" / "home" / "history"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{SESSION}.jsonl").write_bytes(b"".join(records.line(one) for one in kept))
    return SESSION


def open_history(page: LivePage, sheet: Sheet, session: str) -> Any:
    tab = sheet.go(page, "/history")
    tab.locator("#choice-history-choose").select_option(session)
    tab.get_by_text("Reason 39 for").wait_for()
    until(tab, ".history-chart", "neuroReasons")
    until(tab, ".history-chart", f"{DECISIONS}?.data.length === 40")
    return tab


def test_names_come_with_the_zoom_and_stay_text(page: LivePage, sheet: Sheet, session: str) -> None:
    tab = open_history(page, sheet, session)
    assert "A rather long name of piece number 11" not in chart(tab, ".history-chart", WRITTEN)
    chart(tab, ".history-chart", ZOOM.format(22, 32))
    until(tab, ".history-chart", f"{WRITTEN}.includes('A rather long name of piece number 11')")
    soon(tab, lambda: EVIL in chart(tab, ".history-chart", WRITTEN), "the hostile name is drawn as it is")
    assert tab.locator("main img[onerror], main b").count() == 0


def test_keys_and_pointer_bring_up_the_reason(page: LivePage, sheet: Sheet, session: str) -> None:
    tab = open_history(page, sheet, session)
    said = tab.locator("#reason-said")
    tab.locator(".history-chart").focus()
    tab.keyboard.press("End")
    reads(tab, said, "Reason 39 for")
    tab.keyboard.press("ArrowLeft")
    reads(tab, said, "Reason 38 for")
    soon(tab, lambda: "Reason 38 for" in chart(tab, ".history-chart", WRITTEN), "the tooltip")
    tab.keyboard.press("Home")
    reads(tab, said, "changed for the mood · Reason 0 for")
    chart(tab, ".history-chart", ZOOM.format(80, 100))
    tab.keyboard.press("ArrowRight")  # outside of the zoom: it follows
    reads(tab, said, "Reason 1 for")
    until(tab, ".history-chart", "getOption().dataZoom[0].start < 5")
    chart(tab, ".history-chart", ZOOM.format(25, 27))
    picture = tab.locator(".history-chart")
    resting_box(tab, picture)
    x, y = chart(tab, ".history-chart", f"convertToPixel({{gridIndex: 2}}, [{1000 * (BEGAN_S + 1870)}, 0.5])")
    picture.click(position={"x": x, "y": y})
    reads(tab, said, "Reason 10 for “<img src=x")
    assert said.locator("*").count() == 0


def test_every_reason_is_in_a_list_of_plain_text(page: LivePage, sheet: Sheet, session: str) -> None:
    tab = open_history(page, sheet, session)
    rows = tab.locator("ol.reasons > li")
    soon(tab, lambda: rows.count() == 40, "forty rows")
    reads(tab, rows.first, "Reason 39 for")
    reads(tab, rows.nth(4), "changed for the mood")
    reads(tab, rows.nth(29), EVIL)


@pytest.mark.parametrize("sheet", [{"viewport": PHONE, "has_touch": True, "is_mobile": True}], indirect=True)
def test_sessions_are_compared_and_the_zoom_stays(page: LivePage, sheet: Sheet, session: str) -> None:
    """The running session grows every ten seconds, under the eyes of somebody who looks at a detail."""
    kept = page.folder / "state" / "wearers" / "home" / "history"
    before = session_names(kept)
    page.talker.say(say.session(started=say.now() + timedelta(seconds=5)), say.emotion())
    eventually(lambda: session_names(kept)[0] not in before)
    tab = open_history(page, sheet, session)
    running = tab.locator("#choice-history-choose option", has_text="running")
    running.wait_for(state="attached")
    tab.locator("#choice-history-choose").select_option(running.get_attribute("value"))
    tab.get_by_text("Reason 39 for").wait_for(state="detached")  # one choice after the other is drawn
    tab.locator("#choice-history-compare").select_option(session)
    until(tab, ".compare-chart", "getOption().series.length === 2")
    for chosen in (".history-chart", ".compare-chart"):
        chart(tab, chosen, ZOOM.format(20, 60))
    page.talker.say(say.emotion(arousal=0.9, emotion="focused"))
    news = "getOption().series.find((one) => one.id === 'arousal').data.some((at) => at[1] === 0.9)"
    until(tab, ".history-chart", news)
    for chosen in (".history-chart", ".compare-chart"):
        assert chart(tab, chosen, "getOption().dataZoom[0].start") == pytest.approx(20)
    assert chart(
        tab,
        ".history-chart",
        "getOption().series.find((one) => one.id === 'tracks').renderItem !== undefined",
    )
    fits(tab)
