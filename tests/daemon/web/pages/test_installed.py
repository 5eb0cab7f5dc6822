"""The page as an app: what installs it, what it shows without a server, and the small player."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from support.browser import talker as say
from support.browser.live_page import LivePage
from support.browser.sheet import PHONE, Sheet, audited, fits, soon

pytestmark = [pytest.mark.browser, pytest.mark.broker]
SMALL = {"viewport": PHONE, "has_touch": True, "is_mobile": True}


@pytest.fixture(autouse=True)
def quiet_world(page: LivePage) -> None:
    page.talker.all_is_well()
    page.talker.commands.clear()


def test_a_browser_takes_it_for_an_app(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    found = tab.context.new_cdp_session(tab).send("Page.getAppManifest")
    assert found["errors"] == []
    manifest = json.loads(found["data"])
    assert (manifest["display"], manifest["start_url"]) == ("standalone", "/")
    for icon in manifest["icons"]:
        answer = page.get(icon["src"])
        assert answer.status == 200
        if icon["type"] == "image/png":
            drawn = Image.open(io.BytesIO(answer.body))  # type: ignore[attr-defined]
            assert f"{drawn.width}x{drawn.height}" == icon["sizes"]
    assert tab.locator("meta[name=theme-color]").count() == 2


def test_without_a_server_the_app_says_so(page: LivePage, chromium: Any) -> None:
    context = chromium.new_context()
    tab = Sheet(context.new_page()).go(page)
    tab.wait_for_function("navigator.serviceWorker.controller !== null")
    context.set_offline(True)
    tab.goto(page.url + "/fit")
    tab.get_by_text("Neuroplayer cannot be reached").wait_for()
    context.set_offline(False)
    tab.goto(page.url)
    tab.get_by_text("You seem relaxed").wait_for()
    context.close()


@pytest.mark.parametrize("sheet", [SMALL], indirect=True)
@pytest.mark.parametrize("path", ["/fit", "/history", "/library"])
def test_what_plays_is_at_hand_on_every_page_of_a_phone(page: LivePage, sheet: Sheet, path: str) -> None:
    tab = sheet.go(page, path)
    tab.locator(".mini", has_text="Piece number 1").wait_for()
    tab.locator(".mini").get_by_role("button", name="Pause").click()
    assert page.talker.wait_command("pause") == {"paused": True}
    tab.locator(".mini").get_by_role("button", name="Skip").click()
    assert page.talker.wait_command("skip") == {}
    page.talker.say(say.player(track=say.track(2)))
    tab.locator(".mini", has_text="Piece number 2").wait_for()
    # the last of the page can be scrolled above it
    tab.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    last, bar = tab.locator("main .card").last.bounding_box(), tab.locator(".mini").bounding_box()
    assert last["y"] + last["height"] <= bar["y"]
    fits(tab)
    audited(tab)


@pytest.mark.parametrize("sheet", [SMALL], indirect=True)
def test_on_the_sessions_page_it_comes_when_the_card_has_gone(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    tab.get_by_text("Piece number 1", exact=True).first.wait_for()
    soon(tab, lambda: not tab.locator(".mini").is_visible(), "the card is seen, so the bar is not")
    tab.locator(".area-feel").scroll_into_view_if_needed()
    soon(tab, lambda: tab.locator(".mini").is_visible(), "the card has gone")


def test_a_desk_has_no_small_player(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page, "/fit")
    tab.locator("main .card").first.wait_for()
    assert not tab.locator(".mini").is_visible()
