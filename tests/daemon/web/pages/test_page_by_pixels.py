"""What only the drawn page can show: a focus that is seen, a header that fits, and nothing that moves."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageChops

from daemon.web.pages.frame import PAGES
from daemon.web.texts import texts
from daemon.web.texts.languages import COOKIE, LANGUAGES
from support.browser import talker as say
from support.browser.live_page import LivePage
from support.browser.sheet import PHONE, Sheet, fits, soon

pytestmark = [pytest.mark.browser, pytest.mark.broker]

WIDTHS = (320, 390, 600, 719, 721, 768, 820, 853, 900, 961, 1024, 1028, 1101, 1280, 1440, 2560)
SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts.push({
      value: one.value,
      what: one.sources.map((s) => `${s.node?.className ?? s.node?.parentElement?.className}:` +
        `${Math.round(s.previousRect.y)}->${Math.round(s.currentRect.y)},` +
        `${Math.round(s.previousRect.x)}->${Math.round(s.currentRect.x)}`),
    });
  }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(autouse=True)
def still_world(page: LivePage) -> Iterator[None]:
    """Nothing goes on by itself: the music is paused."""
    page.talker.all_is_well()
    page.talker.say(say.player(paused=True))
    page.talker.commands.clear()
    yield
    page.talker.say(say.session(), say.headset(), say.emotion(), say.player())


def picture(tab: Any, clip: dict[str, float]) -> Image.Image:
    shot = tab.screenshot(clip=clip, animations="disabled", caret="hide")
    return Image.open(io.BytesIO(shot)).convert("RGB")


def differing(one: Image.Image, other: Image.Image) -> int:
    """How many pixels are not the same."""
    grey = ImageChops.difference(one, other).convert("L").point(lambda value: 255 * (value > 24))
    return grey.histogram()[255]


def around(tab: Any, margin: int = 6) -> dict[str, float] | None:
    """Where the focused element is drawn, with room for its ring."""
    found: dict[str, float] | None = tab.evaluate(
        """(margin) => {
          const at = document.activeElement;
          if (at === document.body) return null;
          const box = at.getBoundingClientRect();
          const x = Math.max(0, box.x - margin), y = Math.max(0, box.y - margin);
          return { x, y, width: Math.min(innerWidth, box.right + margin) - x,
                   height: Math.min(innerHeight, box.bottom + margin) - y };
        }""",
        margin,
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [path for _, path, _ in PAGES])
def test_the_focus_of_every_control_is_seen(page: LivePage, chromium: Any, path: str, scheme: str) -> None:
    context = chromium.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    tab = Sheet(context.new_page()).go(page, path)
    tab.locator("main .card").first.wait_for()
    tab.wait_for_timeout(500)
    unseen, stops = [], 0
    for _ in range(80):
        tab.keyboard.press("Tab")
        clip = around(tab)
        if clip is None:
            break
        if clip["width"] <= 0 or clip["height"] <= 0:
            continue
        stops += 1
        focused = picture(tab, clip)
        tab.evaluate("window.held = document.activeElement; document.activeElement.blur()")
        if differing(focused, picture(tab, clip)) < 60:
            unseen.append(tab.evaluate("held.outerHTML.slice(0, 120)"))
        tab.evaluate("held.focus({ preventScroll: true })")
    context.close()
    assert stops > 6
    assert unseen == []


@pytest.mark.parametrize("language", list(LANGUAGES))
@pytest.mark.parametrize("sheet", [{}], indirect=True)
def test_the_header_fits_at_every_width(page: LivePage, sheet: Sheet, language: str) -> None:
    """With all marks at once; 853 px is what 1280 are at 150 %."""
    marked = {"simulated": True, "replayed": True}
    page.talker.say(say.headset(**marked), say.emotion(**marked), say.session(recording=True, **marked))
    tab = sheet.go(page)
    tab.get_by_text("REC", exact=True).wait_for()
    told = texts(language)
    sheet.tab.context.add_cookies([{"name": COOKIE, "value": language, "url": page.url}])
    tab = sheet.go(page)
    tab.get_by_text(told("app.replayed")).wait_for()
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 800})
        fits(tab)
        found = tab.evaluate(
            """() => [...document.querySelectorAll(
                 "header .brand, header nav a, header button, header select, header .chip")]
                .filter((at) => at.checkVisibility()).map((at) => {
                  const box = at.getBoundingClientRect();
                  const spans = [...at.querySelectorAll("span"), at]
                    .filter((one) => one.checkVisibility() && getComputedStyle(one).display !== "inline")
                  const cut = spans.some((one) => one.scrollWidth > one.clientWidth + 1);
                  return [at.innerText || at.ariaLabel, box.left, box.right, box.top, box.bottom, cut];
                })"""
        )
        assert len(found) == 12, (width, found)
        for number, (name, left, right, top, bottom, cut) in enumerate(found):
            assert left >= 0, (width, name)
            assert right <= width, (width, name)
            assert not cut, (width, name)
            for other, left2, right2, top2, bottom2, _ in found[number + 1 :]:
                apart = right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
                assert apart, (width, name, other)
    stop = tab.get_by_role("button", name=told("record.stop"))
    tab.set_viewport_size({"width": 820, "height": 1180})
    stop.click()
    assert page.talker.wait_command("record")["action"] == "stop"


MOODS: tuple[tuple[str, Any], ...] = (
    ("mood.is_unknown", {"emotion": "unknown", "confidence": 0.51}),
    ("mood.is_focused", {"emotion": "focused", "arousal": 0.9, "confidence": 0.99}),
    ("mood.unknown", {"status": "unreliable", "arousal": None, "emotion": "unknown"}),
    ("mood.is_neutral", {"emotion": "neutral", "arousal": 0.0, "valence": 0.0, "confidence": 0.5}),
    ("mood.is_relaxed", {}),
)


@pytest.mark.parametrize(
    ("width", "language"),
    [
        *((width, "en") for width in (320, 390, 768, 820, 1024, 1280, 2560)),
        *((320, "de"), (1024, "de"), (390, "es"), (1280, "es")),
    ],
)
def test_nothing_moves(page: LivePage, chromium: Any, width: int, language: str) -> None:
    """Through a fade, a notice and every change of words."""
    told = texts(language)
    context = chromium.new_context(viewport={"width": width, "height": 4000}, locale=language)
    context.add_init_script(SHIFTS)
    talker, tab = page.talker, Sheet(context.new_page()).go(page)
    tab.get_by_text(told("mood.is_relaxed"), exact=True).wait_for()
    tab.locator(".plane-chart canvas").wait_for()
    tab.wait_for_timeout(800)
    tab.evaluate("window.shifts.length = 0")
    for words, given in MOODS:
        talker.say(say.emotion(**given))
        tab.get_by_text(told(words), exact=True).first.wait_for()
    long = say.track(7, "A title that is long enough to need a second line wherever there is little room")
    short = say.track(8, "Short", artist="")
    talker.say(say.player(paused=True, track=long, next=short, fading=0.3, leaving=say.track(1)))
    tab.locator(".fade-bar").wait_for()
    talker.say(say.player(paused=True, track=short, next=long, position_s=171.0))
    tab.locator(".fade-bar").wait_for(state="hidden")
    aside = say.reason(note="mood_moved", wearer="undecided", arousal=0.9, target="0.4,0.7", all_banned=True)
    talker.say(
        say.player(
            paused=True, policy="maintain", target="relax", target_valence=0.4, target_arousal=-0.6,
            chosen=say.chosen(reason=aside, policy="maintain", aim_arousal=0.8),
        )
    )  # fmt: skip
    tab.get_by_text(told("why.mood_moved")).wait_for()
    talker.say(say.headset("lost"), say.player(paused=True, degraded=["the sound device does not answer"]))
    tab.locator(".notice.bad").wait_for()
    talker.say(say.headset(), say.player(paused=True))
    tab.locator(".notice.bad").wait_for(state="hidden")
    tab.wait_for_timeout(300)
    moved = {what for shift in tab.evaluate("window.shifts") for what in shift["what"]}
    context.close()
    assert moved == set()


def test_the_first_screen_of_a_phone_says_what_plays_and_why(page: LivePage, chromium: Any) -> None:
    context = chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    tab = Sheet(context.new_page()).go(page)
    tab.get_by_text("Piece number 1", exact=True).first.wait_for()
    seen_to = tab.locator("nav.nav").bounding_box()["y"]
    for place in (".track-title", ".controls .big", ".why-words"):
        box = tab.locator(place).first.bounding_box()
        assert box["y"] + box["height"] <= seen_to, place
    context.close()


def test_a_fade_says_what_goes_and_what_comes(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    page.talker.say(say.player(track=say.track(2), next=say.track(3), fading=0.4, leaving=say.track(1)))
    tab.get_by_text("“Piece number 1” fades into “Piece number 2”").wait_for()
    page.talker.say(say.player(track=say.track(2), next=say.track(3)))
    tab.locator(".coming-title", has_text="Piece number 3").wait_for()


def test_who_comes_late_is_told_why(page: LivePage, sheet: Sheet) -> None:
    """The decision itself was heard by nobody who is there now: the player's state says it again."""
    late = say.chosen(reason=say.reason(note="mood_moved", rank=2))
    page.talker.say(say.player(track=say.track(40), chosen=late))
    tab = sheet.go(page)
    tab.get_by_text("Changed early, for your mood has moved.").wait_for()
    assert not tab.get_by_text("80 % sure").is_visible()
    tab.locator(".why summary").click()
    tab.get_by_text("You then: arousal -0.30, 80 % sure").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_keep_what_is_chosen_and_how_much(page: LivePage, chromium: Any, scheme: str) -> None:
    context = chromium.new_context(forced_colors="active", color_scheme=scheme, reduced_motion="reduce")
    tab = Sheet(context.new_page()).go(page)
    tab.get_by_text("You seem relaxed").wait_for()

    def ground(place: str) -> str:
        said: str = tab.locator(place).first.evaluate("(at) => getComputedStyle(at).backgroundColor")
        return said

    assert ground("nav a[aria-current=page]") != ground("nav a:not([aria-current])")
    soon(tab, lambda: tab.locator(".choices.wide .on").count() == 1, "the policy in force is marked")
    assert ground(".choices.wide .on") != ground(".choices.wide .btn:not(.on)")
    meter = tab.locator(".mood-foot .meter").bounding_box()
    row = picture(tab, meter | {"y": meter["y"] + meter["height"] / 2, "height": 1})
    assert row.getextrema() != tuple((low, low) for low, _ in row.getextrema()), (
        "the meter shows how full it is"
    )
    context.close()


def test_a_notice_unfolds_over_the_page_with_a_key(page: LivePage, sheet: Sheet) -> None:
    page.talker.say(say.headset("stale"), say.player(degraded=["the first thing", "the second thing"]))
    tab = sheet.go(page)
    tab.locator(".notice.fair").first.wait_for()
    tab.get_by_text("+2", exact=True).wait_for()
    assert not tab.get_by_text("the second thing").is_visible()
    tab.locator(".notices").focus()
    tab.keyboard.press("Enter")
    tab.get_by_text("the second thing").wait_for()
    tab.keyboard.press("Escape")
    tab.get_by_text("the second thing").wait_for(state="hidden")
