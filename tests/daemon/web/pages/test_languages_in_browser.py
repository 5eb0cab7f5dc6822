"""Every page in every language on the narrowest screen, and the switch between them."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.web.pages.frame import PAGES
from daemon.web.texts import texts
from daemon.web.texts.languages import LANGUAGES
from support.browser import talker as say
from support.browser.live_page import LivePage
from support.browser.sheet import CUT, Sheet, audited, fits

pytestmark = [pytest.mark.browser, pytest.mark.broker]


@pytest.fixture(autouse=True)
def quiet_world(page: LivePage) -> None:
    page.talker.all_is_well()
    page.talker.commands.clear()


@pytest.mark.parametrize("language", list(LANGUAGES))
@pytest.mark.parametrize("width", [320, 1280])
def test_every_text_fits(page: LivePage, chromium: Any, language: str, width: int) -> None:
    page.talker.say(say.session(recording=True), say.emotion(emotion="focused", arousal=0.9, replayed=True))
    context = chromium.new_context(locale=language, viewport={"width": width, "height": 800})
    tab = Sheet(context.new_page())
    told = texts(language)
    for name, path, _ in PAGES:
        at = tab.go(page, path)
        at.locator("main .card").first.wait_for()
        at.wait_for_function(f"document.documentElement.lang === '{language}'")
        assert at.title() == told("app.title", page=told(f"nav.{name}"))
        at.wait_for_timeout(300)
        fits(at)
        assert at.evaluate(CUT) == [], (path, language)
        audited(at)
    context.close()


def test_the_language_is_chosen_and_kept(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    tab.get_by_text("You seem relaxed").wait_for()
    tab.get_by_label("Language").select_option("de")
    tab.get_by_text("Du wirkst entspannt").wait_for()
    tab.get_by_text("Du wirkst ruhig; dazu passt ruhige Musik.").wait_for()
    tab = sheet.go(page, "/fit")
    tab.get_by_text("Press it on gently").wait_for(state="detached")
    tab.get_by_text("Wie das Headset sitzt").wait_for()
    tab.get_by_label("Sprache").select_option("es")
    tab.get_by_text("Cómo está puesto el casco").wait_for()


def test_two_viewers_read_two_languages_at_once(page: LivePage, chromium: Any) -> None:
    pages = {}
    for language in ("de-DE", "es-ES"):
        context = chromium.new_context(locale=language)
        pages[language] = Sheet(context.new_page()).go(page)
    page.talker.say(say.emotion(emotion="focused", arousal=0.5))
    pages["de-DE"].get_by_text("Du wirkst konzentriert").wait_for()
    pages["es-ES"].get_by_text("Pareces concentrado").wait_for()
    for tab in pages.values():
        tab.context.close()
