"""The page in a real Chromium: every page, both themes, a phone, fingers and keys, and a hostile world."""

from __future__ import annotations

import signal
import time
from typing import Any

import msgspec
import pytest

from acquisition.recording.consent import Consent, write_consent
from daemon.web.pages.frame import PAGES
from daemon.web.palette import DARK, LIGHT
from daemon.web.state.session_log import session_names
from support.browser import talker as say
from support.browser.live_page import LivePage
from support.browser.sheet import (
    AUDIT,
    PHONE,
    Sheet,
    audited,
    fits,
    plane_ready,
    reads,
    resting_box,
    soon,
    until,
)
from support.browser.talker import eventually

pytestmark = [pytest.mark.browser, pytest.mark.broker]


@pytest.fixture(autouse=True)
def quiet_world(page: LivePage) -> None:
    page.talker.all_is_well()
    page.talker.commands.clear()


@pytest.mark.parametrize(
    "sheet",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"color_scheme": "light", "viewport": PHONE, "has_touch": True, "is_mobile": True},
        {"color_scheme": "dark", "viewport": PHONE, "has_touch": True, "is_mobile": True},
    ],
    ids=["light", "dark", "phone-light", "phone-dark"],
    indirect=True,
)
def test_every_page_in_both_themes_on_desk_and_phone(page: LivePage, sheet: Sheet, request: Any) -> None:
    """With WCAG 2.2 AA as the browser computes it: contrast (1.4.3), names (4.1.2), target sizes (2.5.8)."""
    page.talker.say(say.headset("stale"), say.session("calibrating", 10.0, recording=True))
    dark = "dark" in request.node.callspec.id
    for name, path, _ in PAGES:
        tab = sheet.go(page, path)
        tab.locator("main .card").first.wait_for()
        tab.get_by_text("REC", exact=True).wait_for()
        tab.locator(".notice.fair").first.wait_for()
        assert tab.locator("nav a[aria-current=page]").count() == 1
        assert tab.title().startswith(name.title())
        wanted = (DARK if dark else LIGHT).ground
        ground = f"rgb{tuple(int(wanted[p : p + 2], 16) for p in (1, 3, 5))}"
        tab.wait_for_function(
            "(wanted) => getComputedStyle(document.body).backgroundColor === wanted", arg=ground
        )
        fits(tab)
        assert tab.locator("h1").count() == 1
        audited(tab)


def test_the_session_page_says_what_is_known(page: LivePage, sheet: Sheet) -> None:
    page.talker.say(
        say.emotion(emotion="focused", arousal=0.6, confidence=0.9),
        say.player(chosen=say.chosen(reason=say.reason(note="wished"))),
    )
    tab = sheet.go(page)
    tab.get_by_text("You seem focused").wait_for()
    tab.get_by_text("90 % · very sure").wait_for()
    tab.get_by_text("You asked for this track.").wait_for()
    tab.get_by_text("Piece number 1", exact=True).first.wait_for()
    tab.get_by_text("Simulated wearer").wait_for()
    page.talker.say(say.emotion(status="unreliable", arousal=None, emotion="unknown"))
    tab.get_by_text("Not known").first.wait_for()
    reads(tab, tab.locator("#plane-described"), "not known")


def test_touching_the_plane_sets_the_target(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    plane_ready(tab)
    plane = tab.locator(".plane-chart")
    inner = resting_box(tab, plane)["width"] - 60
    plane.click(position={"x": 30 + 0.75 * inner, "y": 30 + 0.25 * inner})
    target = page.talker.wait_command("target")
    assert target["valence"] == pytest.approx(0.5, abs=0.05)
    assert target["arousal"] == pytest.approx(0.5, abs=0.05)
    assert page.talker.wait_command("policy") == {"policy": "lead"}
    page.talker.say(say.player(policy="lead", target="0.5,0.5", target_valence=0.5, target_arousal=0.5))
    tab.locator(".choices .on", has_text="Lead").wait_for()


@pytest.mark.parametrize("sheet", [{"viewport": PHONE, "has_touch": True, "is_mobile": True}], indirect=True)
def test_a_finger_on_a_phone_sets_the_target_too(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    plane_ready(tab)
    plane = tab.locator(".plane-chart")
    plane.scroll_into_view_if_needed()
    box = resting_box(tab, plane)
    plane.tap(position={"x": box["width"] / 2, "y": box["height"] - 60})
    target = page.talker.wait_command("target")
    assert target["arousal"] < -0.6
    assert abs(target["valence"]) < 0.05
    assert page.talker.wait_command("policy") == {"policy": "lead"}


def test_everything_can_be_done_with_keys(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    plane_ready(tab)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className").startswith("skip")
    seen = set()
    for _ in range(60):
        tab.keyboard.press("Tab")
        seen.add(tab.evaluate("(at => (at.ariaLabel || at.innerText).trim())(document.activeElement)"))
    assert {
        "Pause",
        "Skip",
        "Like",
        "Never again",
        "Relax",
        "Match",
        "By hand",
        "Say it",
        "Very good",
    } <= seen
    tab.locator(".plane-chart").focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowRight", "Enter"):
        tab.keyboard.press(key)
    target = page.talker.wait_command("target")
    assert (target["valence"], target["arousal"]) == (pytest.approx(0.1), pytest.approx(0.2))
    assert page.talker.wait_command("policy") == {"policy": "lead"}
    tab.get_by_role("button", name="Relax").focus()
    tab.keyboard.press("Enter")
    assert page.talker.wait_command("target")["name"] == "relax"
    assert page.talker.wait_command("policy") == {"policy": "lead"}


def test_the_buttons_send_commands(page: LivePage, sheet: Sheet) -> None:
    tab, heard = sheet.go(page), page.talker.wait_command
    tab.get_by_role("button", name="Pause").click()
    assert heard("pause") == {"paused": True}
    tab.get_by_role("button", name="Skip").click()
    assert heard("skip") == {}
    tab.get_by_role("button", name="Like").click()
    assert heard("like") == {"id": "track-1", "liked": True}
    tab.get_by_role("button", name="Never again").click()
    assert heard("ban") == {"id": "track-1", "banned": True}
    tab.get_by_role("button", name="Contrast").click()
    assert heard("policy") == {"policy": "contrast"}
    slider = tab.get_by_role("slider", name="Volume")
    tab.wait_for_function("at => at.value === '80'", arg=slider.element_handle())
    slider.focus()
    for _ in range(5):
        tab.keyboard.press("ArrowLeft")
    eventually(lambda: heard("volume")["volume"] == 0.75)
    tab.get_by_role("slider", name="Position in the track").focus()
    tab.keyboard.press("End")
    eventually(lambda: heard("seek")["position_s"] == 180.0)
    tab.get_by_role("button", name="Say it").click()
    tab.get_by_text("Choose one of each row first.").wait_for()
    tab.get_by_role("button", name="Very good").click()
    tab.get_by_role("button", name="Very calm").click()
    tab.get_by_role("button", name="Say it").click()
    label = heard("label")
    assert (label["valence"], label["arousal"]) == (1.0, -1.0)


def test_a_crossfade_is_drawn_as_it_happens(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    tab.locator(".fade-bar").wait_for(state="hidden")
    page.talker.say(say.player(fading=0.4))
    tab.locator(".fade-bar").wait_for()
    page.talker.say(say.player())
    tab.locator(".fade-bar").wait_for(state="hidden")


def test_hostile_names_are_shown_and_never_run(page: LivePage, sheet: Sheet) -> None:
    evil = "<img src=x onerror=alert(1)><script>document.title='owned'</script>"
    bidi = "good\u202egnp.exe\u0000"
    page.talker.say(
        say.player(
            track=say.track(66, title=evil, artist=bidi),
            next=say.track(67, title="x" * 2000, artist="{{7*7}} ${1} {b} `"),
            degraded=[evil],
            output=evil[:200],
        ),
        say.decision(66, why=evil, chosen=say.track(66, title=evil)),
        say.headset(device="<b>muse</b>"),
        say.emotion(model=say.documents.Model(name="<u>model</u>", sha256=None)),
    )
    too_long = say.player(track=say.track(68, title="y" * 10_000))  # the contract allows 2 000
    page.talker.raw("player/state", msgspec.json.encode(too_long))
    for name in ("player/state", "emotion", "signal"):
        page.talker.raw(name, b'{"track": {"title": "' + b"A" * 100_000 + b'"}}')
    for path in [path for _, path, _ in PAGES]:
        tab = sheet.go(page, path)
        tab.locator("main .card").first.wait_for()
        if path == "/":
            tab.get_by_text(evil).first.wait_for()
            assert tab.get_by_text("yyyy").count() == 0
            reads(tab, tab.locator(".track-artist").first, "goodgnp.exe")
            fits(tab)
        assert tab.locator("main img[src='x'], main b, main u, main script").count() == 0
        assert tab.title().endswith("Neuroplayer")


def test_the_fit_page_shows_what_helps_and_the_rest_counts_down(page: LivePage, sheet: Sheet) -> None:
    page.talker.say(say.session("calibrating", 15.0), say.emotion(status="calibrating", arousal=None))
    tab = sheet.go(page, "/fit")
    page.talker.say(say.signal())
    tab.get_by_text("Not good yet: TP10").wait_for()
    tab.get_by_text("Press it on gently").wait_for()
    tab.get_by_text("0:30 to go").wait_for()
    page.talker.say(say.session("running"))
    tab.locator(".rest-done", has_text="Done").wait_for()
    tab.get_by_role("button", name="Take the baseline anew").click()
    assert page.talker.wait_command("recalibrate") == {}
    tab.get_by_role("button", name="Stop reading").click()
    assert page.talker.wait_command("session") == {"action": "stop"}


def test_the_broker_gone_and_back(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    tab.get_by_text("You seem relaxed").wait_for()
    page.broker.kill()
    try:
        tab.get_by_text("No connection to the MQTT broker").wait_for()
        tab.get_by_role("button", name="Skip").click()
        tab.get_by_text("nothing was sent").wait_for()
    finally:
        page.broker.start()
        page.talker.wait_until_it_hears()
    tab.get_by_text("No connection to the MQTT broker").wait_for(state="hidden")


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("stop", [signal.SIGSTOP, signal.SIGKILL], ids=["hangs", "is-killed"])
def test_a_minute_without_the_server(page: LivePage, sheet: Sheet, stop: signal.Signals) -> None:
    """A server that hangs lets attempts to connect time out, on which NiceGUI alone would leave the page."""
    tab = sheet.go(page)
    tab.get_by_text("You seem relaxed").wait_for()
    assert page.process is not None
    page.process.send_signal(stop)
    try:
        tab.locator("#neuro-lost.shown").wait_for()
        tab.wait_for_timeout(60_000)
        assert tab.locator("#neuro-lost.shown").is_visible()
    finally:
        if stop == signal.SIGSTOP:
            page.process.send_signal(signal.SIGCONT)
        else:
            page.process.wait()
            page.start()
    tab.wait_for_function("!document.querySelector('#neuro-lost.shown')")
    page.talker.say(say.emotion(emotion="focused", arousal=0.4))
    tab.get_by_text("You seem focused").wait_for()
    sheet.complaints.clear()


def test_the_history_draws_a_session_and_gives_it_away(page: LivePage, sheet: Sheet) -> None:
    for number in range(4):
        page.talker.say(say.emotion(arousal=number / 10), say.signal(), say.player(track=say.track(number)))
        time.sleep(0.3)
    kept = page.folder / "state" / "wearers" / "home" / "history"
    eventually(lambda: session_names(kept))
    tab = sheet.go(page, "/history")
    tab.locator(".history-chart canvas").wait_for()
    tab.get_by_text("Mean arousal").wait_for()
    with tab.expect_download() as picture:
        tab.get_by_role("button", name="Picture (PNG)").click()
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")
    with tab.expect_download() as table:
        tab.get_by_role("button", name="Table (CSV)").click()
    assert table.value.path().read_text().startswith("time,wearer,kind,emotion")
    options = tab.locator("#choice-history-compare option").count()
    assert options >= 2
    tab.locator("#choice-history-compare").select_option(index=1)
    first = kept / f"{session_names(kept)[0]}.jsonl"
    for name in ("20260101T200000Z", "20260102T200000Z"):
        (kept / f"{name}.jsonl").write_bytes(first.read_bytes())
    tab = sheet.go(page, "/history")
    for name in ("20260101T200000Z", "20260102T200000Z"):
        tab.locator("#choice-history-compare").select_option(name)
    until(tab, ".compare-chart", "getOption().series.length === 3")
    tab.locator("#choice-history-compare").select_option(index=0)
    until(tab, ".compare-chart", "getOption().series.length === 1")


def test_a_recording_is_shown_and_forgotten(page: LivePage, sheet: Sheet) -> None:
    name = "2026-03-01T20-00-00Z-home"
    recording = page.folder / "state" / "wearers" / "home" / "recordings" / f"{name}.xdf"
    recording.parent.mkdir(parents=True, exist_ok=True)
    recording.write_bytes(b"XDF:")
    write_consent(recording, Consent("2026-03-01T20:00:00+00:00", "asked <b>for</b> with --record"))
    page.talker.say(say.session(recording=True))
    tab = sheet.go(page, "/history")
    tab.get_by_text("REC", exact=True).wait_for()
    tab.get_by_text("asked <b>for</b> with --record").wait_for()
    tab.get_by_role("button", name="Forget the recording of").click()
    tab.get_by_role("button", name="Keep it").click()
    assert recording.exists()
    tab.get_by_role("button", name="Forget the recording of").click()
    tab.get_by_role("button", name="Delete for good").click()
    tab.get_by_text("Nothing has been recorded").wait_for()
    assert list(recording.parent.iterdir()) == []
    page.talker.say(say.session())
    tab.get_by_text("REC", exact=True).wait_for(state="hidden")


def test_a_session_is_recorded_only_after_a_person_agreed(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page, "/history")
    tab.get_by_role("button", name="Record this session").click()
    dialog = tab.get_by_role("dialog")
    dialog.get_by_text("I agree that from now on").wait_for()
    # a trial waits until the dialog has grown to its size
    dialog.get_by_role("button", name="I agree, record").click(trial=True)
    audited(tab)
    dialog.get_by_role("button", name="I agree, record").click()
    tab.get_by_text("Say who agrees first.").wait_for()
    dialog.get_by_role("button", name="Do not record").click()
    dialog.wait_for(state="detached")
    assert [name for name, _ in page.talker.commands] == []
    tab.get_by_role("button", name="Record this session").click()
    tab.get_by_label("Who wears the headset and agrees").fill("  Ada <b>L</b> ")
    tab.get_by_role("button", name="I agree, record").click()
    asked = page.talker.wait_command("record")
    assert (asked["action"], asked["who"]) == ("start", "Ada <b>L</b>")
    assert "eeg, signal quality" in asked["consent"]
    page.talker.say(say.session(recording=True))
    for path in ("/", "/calibrate"):
        tab = sheet.go(page, path)
        tab.get_by_text("REC", exact=True).wait_for()
        tab.get_by_role("button", name="Stop recording").click()
        assert page.talker.wait_command("record")["action"] == "stop"
    page.talker.say(say.session())
    tab.get_by_role("button", name="Stop recording").wait_for(state="hidden")


def test_the_theme_can_be_chosen_and_is_kept(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    toggle = tab.locator("header .btn.theme")
    for mode in ("light", "dark"):
        toggle.click()
        tab.get_by_role("button", name=f"Colours: {mode}").wait_for()
    tab.wait_for_function("document.body.classList.contains('body--dark')")
    tab = sheet.go(page, "/fit")
    tab.get_by_role("button", name="Colours: dark").wait_for()
    tab.wait_for_function("document.body.classList.contains('body--dark')")


def test_commands_are_limited(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    skip = tab.get_by_role("button", name="Skip")
    skip.evaluate("(button) => { for (let i = 0; i < 40; i++) button.click(); }")
    tab.get_by_text("That was a lot at once.").first.wait_for()
    like = tab.get_by_role("button", name="Like", exact=True)

    def let_through() -> bool:
        """What was let through before has come once this has: they travel in order."""
        like.click()
        tab.wait_for_timeout(300)
        return any(name == "like" for name, _ in page.talker.commands)

    soon(tab, let_through, "commands are taken again")
    heard = sum(name == "skip" for name, _ in page.talker.commands)
    assert 5 <= heard < 40


def test_the_audit_would_find_something(sheet: Sheet) -> None:
    page = '<html lang="en"><body style="background:#fff;color:#000"><main>{}</main></body></html>'
    sheet.tab.set_content(page.format("<p>plain</p>"))
    assert sheet.tab.evaluate(AUDIT) == []
    sheet.tab.set_content(page.format('<p style="color:#999">pale</p><button></button>'))
    found = sheet.tab.evaluate(AUDIT)
    assert [one.split()[0] for one in found] == ["contrast", "no", "small"]
