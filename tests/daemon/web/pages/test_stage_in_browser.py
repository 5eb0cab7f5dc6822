"""The stage: what is read from across a room, and what lets it stand there for an evening."""

from __future__ import annotations

from typing import Any

import pytest

from support.browser import talker as say
from support.browser.live_page import LivePage
from support.browser.sheet import CUT, Sheet, audited, fits, soon

pytestmark = [pytest.mark.browser, pytest.mark.broker]
METRES = 3.0
READABLE = 0.0041
"""Height of a letter by its distance: 14 minutes of arc, twice what a sharp eye needs."""
TV_PIXELS, TV_METRES = 1080, 0.6


@pytest.fixture(autouse=True)
def quiet_world(page: LivePage) -> None:
    page.talker.all_is_well()
    page.talker.commands.clear()


@pytest.mark.parametrize(
    "sheet",
    [
        {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
        for width, height in ((1920, 1080), (820, 1180), (390, 844), (320, 568))
        for scheme in ("light", "dark")
    ],
    indirect=True,
    ids=lambda options: f"{options['viewport']['width']}-{options['color_scheme']}",
)
def test_it_shows_the_track_the_mood_and_why(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page, "/stage")
    tab.locator(".stage-title", has_text="Piece number 1").wait_for()
    assert tab.locator(".stage-word").inner_text() == "relaxed"
    assert tab.locator(".stage-sure").inner_text() == "80 % · sure"
    assert tab.locator(".stage-why").inner_text() == "You seem calm; matching it asks for calm music."
    tab.get_by_text("Simulated wearer").wait_for()
    before = tab.locator(".stage-why").bounding_box()
    page.talker.say(say.player(track=say.track(2), next=say.track(3), fading=0.4, leaving=say.track(1)))
    tab.get_by_text("“Piece number 1” fades into “Piece number 2”").wait_for()
    soon(tab, lambda: tab.locator(".stage-fade .meter").is_visible(), "the fade")
    assert tab.locator(".stage-why").bounding_box() == before
    fits(tab)
    assert tab.evaluate(CUT) == []
    audited(tab)


@pytest.mark.parametrize("sheet", [{"viewport": {"width": 1920, "height": 1080}}], indirect=True)
def test_its_words_are_read_from_three_metres(page: LivePage, sheet: Sheet) -> None:
    """On a screen 0.6 m high; a small letter is half of its font's size."""
    tab = sheet.go(page, "/stage")
    for place in (".stage-title", ".stage-word"):
        size = float(tab.locator(place).evaluate("(at) => parseFloat(getComputedStyle(at).fontSize)"))
        assert size / 2 / TV_PIXELS * TV_METRES >= READABLE * METRES, place


def test_it_dims_and_wakes_and_wanders(page: LivePage, chromium: Any) -> None:
    context = chromium.new_context(reduced_motion="reduce")
    context.add_init_script(
        "window.neuroWait = setInterval(() => window.neuro && (neuro.dimAfterMs = 300), 5)"
    )
    tab = Sheet(context.new_page()).go(page, "/stage")
    tab.wait_for_function("!!window.neuro.drift")
    tab.mouse.move(10, 10)
    tab.locator(".stage.dim").wait_for()
    tab.evaluate("clearInterval(neuroWait); neuro.dimAfterMs = 60000")
    tab.keyboard.press("Shift")
    tab.locator(".stage:not(.dim)").wait_for()
    places = set()
    for _ in range(5):
        tab.evaluate("neuro.drift()")
        places.add(tab.locator(".stage-sheet").evaluate("(at) => at.style.transform"))
    assert len(places) == 5
    fits(tab)
    context.close()


def test_it_keeps_the_screen_awake(page: LivePage, chromium: Any) -> None:
    context = chromium.new_context()
    context.add_init_script(
        "window.asked = [];"
        "navigator.wakeLock.request = async (kind) => { window.asked.push(kind); return {}; };"
    )
    tab = Sheet(context.new_page()).go(page, "/stage")
    tab.wait_for_function("window.asked[0] === 'screen'")
    context.close()


def test_there_is_a_way_there_and_back_by_keys(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    tab.get_by_role("link", name="Stage view").focus()
    tab.keyboard.press("Enter")
    tab.locator(".stage-title").wait_for()
    tab.wait_for_function("!!window.neuro.drift")
    tab.keyboard.press("Escape")
    tab.locator(".mood-headline").wait_for()
