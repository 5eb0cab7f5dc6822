"""The page in a real Chromium: what was done can be undone, what is taken away says what it is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image

from daemon.web.charts.style import readable
from daemon.web.pages.frame import PAGES
from daemon.web.palette import DARK, LIGHT, Palette
from daemon.web.state import session_records as records
from player.choice.taste import FILE_NAME
from player.library.commands import scan_library
from support.browser import talker as say
from support.browser.live_page import LivePage, live_page
from support.browser.sheet import CUT, Sheet, chart, plane_ready, resting_box, soon
from support.sounds.sound_making import sine, write_wav

pytestmark = [pytest.mark.browser, pytest.mark.broker]


@pytest.fixture(autouse=True)
def quiet_world(page: LivePage) -> None:
    page.talker.all_is_well()
    page.talker.commands.clear()


def test_never_again_is_undone_by_one_touch(page: LivePage, sheet: Sheet) -> None:
    tab, heard = sheet.go(page), page.talker.wait_command
    tab.get_by_role("button", name="Undo").wait_for(state="hidden")
    tab.get_by_role("button", name="Never again").click()
    assert heard("ban") == {"id": "track-1", "banned": True}
    tab.get_by_text("“Piece number 1” will not come again.").wait_for()
    page.talker.say(say.player(track=say.track(9)))  # what plays now is another one
    tab.get_by_role("button", name="Undo").click()
    assert heard("ban") == {"id": "track-1", "banned": False}
    tab.get_by_role("button", name="Undo").wait_for(state="hidden")


def test_never_again_lies_apart_from_skip(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    names = tab.locator(".controls button").evaluate_all("(all) => all.map((one) => one.ariaLabel)")
    assert abs(names.index("Never again") - names.index("Skip")) >= 3


def test_the_speaker_mutes_and_brings_the_sound_back(page: LivePage, sheet: Sheet) -> None:
    tab, heard = sheet.go(page), page.talker.wait_command
    tab.get_by_role("button", name="Mute").click()
    assert heard("volume") == {"volume": 0.0}
    page.talker.say(say.player(volume=0.0))
    tab.get_by_role("button", name="Sound on").click()
    assert heard("volume") == {"volume": 0.8}


def test_the_target_is_dragged_with_the_mouse(page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(page)
    plane_ready(tab)
    box = resting_box(tab, tab.locator(".plane-chart"))
    inner = box["width"] - 60

    def at(valence: float, arousal: float) -> tuple[float, float]:
        return box["x"] + 30 + inner * (1 + valence) / 2, box["y"] + 30 + inner * (1 - arousal) / 2

    tab.mouse.move(*at(-0.5, -0.5))
    tab.mouse.down()
    tab.mouse.move(*at(0.2, 0.1), steps=4)
    shown = chart(tab, ".plane-chart", "getOption().series.find((one) => one.id === 'cursor').data[0]")
    assert shown == [pytest.approx(0.2, abs=0.05), pytest.approx(0.1, abs=0.05)]
    assert page.talker.commands == []
    tab.mouse.move(*at(0.6, 0.4), steps=4)
    tab.mouse.up()
    target = page.talker.wait_command("target")
    assert (target["valence"], target["arousal"]) == (
        pytest.approx(0.6, abs=0.05),
        pytest.approx(0.4, abs=0.05),
    )


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_words_of_the_plane_are_read_on_whatever_lies_under_them(colours: Palette) -> None:
    """Over the grey of not knowing and over the area of uncertainty, both at once."""

    def channels(colour: str) -> list[int]:
        return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]

    def over(top: str, share: float, below: list[float]) -> list[float]:
        return [share * one + (1 - share) * other for one, other in zip(channels(top), below, strict=True)]

    def light(colour: list[float]) -> float:
        linear = [
            one / 255 / 12.92 if one / 255 <= 0.04045 else ((one / 255 + 0.055) / 1.055) ** 2.4
            for one in colour
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    card: list[float] = [*map(float, channels(colours.card))]
    veiled = over(colours.unknown, 0.13, card)
    ink = light([*map(float, channels(readable(colours)["color"]))])
    for ground in (card, veiled, over(colours.accent, 0.2, card), over(colours.accent, 0.2, veiled)):
        high, low = sorted((ink, light(ground)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5


@pytest.mark.parametrize("sheet", [{"viewport": {"width": 320, "height": 700}}], indirect=True)
def test_no_word_is_cut_on_the_narrowest_screen(page: LivePage, sheet: Sheet) -> None:
    for _, path, _ in PAGES:
        tab = sheet.go(page, path)
        tab.locator("main .card").first.wait_for()
        tab.wait_for_timeout(400)
        assert tab.evaluate(CUT) == [], path


@pytest.fixture(scope="module")
def long_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePage]:
    """A long session in the history, and a library larger than a list."""
    folder = tmp_path_factory.mktemp("long-page")
    music = folder / "music"
    music.mkdir()
    for number in range(3):
        write_wav(music / f"tone{number}.wav", sine(1 + number, 300 + 40 * number, -20))
    (music / "moods.csv").write_text("path,valence,arousal\ntone0.wav,0.5,0.5\ntone1.wav,-0.5,-0.5\n")
    scan_library([music], folder / "cache", timeout_s=60)
    history = folder / "state" / "wearers" / "home" / "history"
    history.mkdir(parents=True)
    began = datetime(2026, 3, 1, 20, 0, tzinfo=UTC).timestamp()
    lines = [records.line(records.StartRecord(t=began, node="home", simulated=True))]
    for second in range(0, 8 * 3600, 5):
        at_s = began + second
        lines.append(
            records.line(
                records.MoodRecord(
                    t=at_s, e="relaxed", s="ok", a=round(((second // 60) % 100) / 100, 2), v=None, c=0.8
                )
            )
        )
        lines.append(records.line(records.QualityRecord(t=at_s + 1.7, q=0.5 + (second % 7) / 20, worn=True)))
    (history / "20260301T200000Z.jsonl").write_bytes(b"".join(lines))
    with live_page(folder, music=(str(music),)) as found:
        found.talker.all_is_well()
        yield found


def tooltip_texts(tab: Any, place: str) -> list[str]:
    """What the chart at ``place`` has drawn, once a tooltip is among it."""
    texts: list[str] = []

    def drawn() -> bool:
        texts[:] = tab.evaluate(
            f"{place}.getZr().storage.getDisplayList(true).map((one) => one.style?.text ?? '')"
        )
        return any(text.startswith("Signal quality  ") for text in texts)

    soon(tab, drawn, "a tooltip")
    return texts


def test_every_moment_of_a_long_session_has_its_arousal(long_page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(long_page, "/history")
    tab.locator("#choice-history-choose").select_option("20260301T200000Z")
    began = 1000 * datetime(2026, 3, 1, 20, 0, tzinfo=UTC).timestamp()
    place = "getElement(document.querySelector('.history-chart').id.slice(1))?.chart"
    tab.wait_for_function(f"{place}?.getOption()?.xAxis?.[0]?.min === {began}")
    for share in (0.1, 0.27, 0.5, 0.73, 0.99):
        second = int(8 * 3600 * share)
        # what the browser draws where the pointer is
        tab.evaluate(
            f"""() => {{
              const chart = {place};
              const [x, y] = chart.convertToPixel({{ gridIndex: 0 }}, [{began} + {1000 * second}, 0]);
              chart.dispatchAction({{ type: "showTip", x, y }});
            }}"""
        )
        texts = tooltip_texts(tab, place)
        lines = dict(text.rsplit("  ", 1) for text in texts if "  " in text)
        assert float(lines["Signal quality"]) >= 0.5
        assert float(lines["Arousal"]) == pytest.approx(((second // 60) % 100) / 100, abs=0.02)


def test_the_picture_has_title_and_axes_and_no_handles(long_page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(long_page, "/history")
    tab.locator("#choice-history-choose").select_option("20260301T200000Z")
    place = "getElement(document.querySelector('.history-chart').id.slice(1))?.chart"
    tab.wait_for_function(f"{place}?.getOption()?.yAxis?.[0]?.name")
    names = tab.evaluate(
        f"[...{place}.getOption().yAxis, ...{place}.getOption().xAxis].map((one) => one.name)"
    )
    assert {"Mood, -1 to 1", "Quality", "Time of day"} <= set(names)
    with tab.expect_download() as given:
        tab.get_by_role("button", name="Picture (PNG)").click()
    picture = Image.open(io.BytesIO(given.value.path().read_bytes())).convert("RGB")
    width, height = tab.evaluate(f"[{place}.getWidth(), {place}.getHeight()]")
    assert picture.size == (2 * width, 2 * (height + 44))

    def inked(top: int, bottom: int) -> bool:
        low, high = picture.convert("L").crop((0, top, 2 * width, bottom)).getextrema()
        return high - low > 60

    assert inked(0, 88), "a title"
    assert not inked(2 * (height + 44) - 60, 2 * (height + 44)), "where the slider was is nothing"


def test_what_is_banned_is_listed_and_allowed_again(long_page: LivePage, sheet: Sheet) -> None:
    home = long_page.folder / "state" / "wearers" / "home"
    (home / FILE_NAME).write_text('{"liked":["gone-since"],"banned":["somewhere"]}')
    tab = sheet.go(long_page, "/library")
    tab.get_by_text("Never again: 1").wait_for()
    tab.get_by_text("Liked: 1").wait_for()
    tab.get_by_role("button", name="again").click()
    assert long_page.talker.wait_command("ban") == {"id": "somewhere", "banned": False}
    (home / FILE_NAME).write_text('{"liked":[],"banned":[]}')
    tab.get_by_text("Every track may come.").wait_for()
