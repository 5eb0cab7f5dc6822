"""The wearer of the session is chosen on the page, and asked about first."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daemon.mqtt import documents
from support.browser.live_page import LivePage
from support.browser.sheet import PHONE, Sheet, audited, fits, reads

pytestmark = [pytest.mark.browser, pytest.mark.broker]


def _said(wearer: str, *known: str) -> documents.SessionWearer:
    return documents.SessionWearer(at=datetime.now(UTC), simulated=True, wearer=wearer, known=list(known))


@pytest.fixture(autouse=True)
def quiet_world(page: LivePage) -> None:
    page.talker.all_is_well()
    page.talker.commands.clear()


@pytest.mark.parametrize(
    "sheet",
    [{}, {"viewport": PHONE, "has_touch": True, "is_mobile": True}],
    ids=["desk", "phone"],
    indirect=True,
)
def test_another_wearer_is_chosen_only_on_a_clear_yes(page: LivePage, sheet: Sheet) -> None:
    page.talker.say(_said("anna", "anna", "bob"))
    tab = sheet.go(page, "/fit")
    card = tab.locator("section.card", has_text="Who wears the headset")
    reads(tab, card.locator(".big-word"), "anna")
    assert card.get_by_role("button", name="anna").count() == 0
    fits(tab)
    audited(tab)
    card.get_by_role("button", name="bob").click()
    tab.get_by_role("button", name="Go on as it is").click()
    tab.get_by_role("dialog").wait_for(state="detached")
    assert not [name for name, _ in page.talker.commands if name == "wearer"]
    card.get_by_role("button", name="bob").click()
    tab.get_by_role("dialog").get_by_text("begin one of: bob?").wait_for()
    tab.get_by_role("dialog").get_by_role("button", name="Begin").click()
    assert page.talker.wait_command("wearer") == {"wearer": "bob"}

    page.talker.say(_said("bob", "anna", "bob"))
    reads(tab, card.locator(".big-word"), "bob")
    card.get_by_role("button", name="A guest").click()
    tab.get_by_role("dialog").get_by_role("button", name="Begin").click()
    assert page.talker.wait_command("wearer") == {"wearer": "guest"}
    assert sheet.complaints == []


def test_a_new_name_keeps_to_the_rule(page: LivePage, sheet: Sheet) -> None:
    page.talker.say(_said("guest", "anna"))
    tab = sheet.go(page, "/fit")
    card = tab.locator("section.card", has_text="Who wears the headset")
    reads(tab, card.locator(".big-word"), "A guest")
    name = card.get_by_role("textbox", name="A new name")
    name.fill("../x")
    card.get_by_role("button", name="Begin").click()
    tab.get_by_text("A name is made of").wait_for()
    name.fill(" Clara ")
    card.get_by_role("button", name="Begin").click()
    tab.get_by_role("dialog").get_by_text("begin one of: clara?").wait_for()
    tab.get_by_role("dialog").get_by_role("button", name="Begin").click()
    assert page.talker.wait_command("wearer") == {"wearer": "clara"}


def test_where_nobody_could_begin_another_session_nobody_is_asked(page: LivePage, sheet: Sheet) -> None:
    page.talker.raw("wearer", b"", retain=True)
    tab = sheet.go(page, "/fit")
    tab.locator("main .card").first.wait_for()
    tab.locator("section.card", has_text="Who wears the headset").wait_for(state="hidden")
