"""The library as a map that plays, with a cover where a track has one, on a real scanned folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from daemon.mqtt import documents
from player.library.commands import scan_library
from support.browser import talker as say
from support.browser.live_page import LivePage, live_page
from support.browser.sheet import Sheet, resting_box
from support.sounds.cover_making import id3_with, mp3, picture
from support.sounds.sound_making import sine, write_wav

pytestmark = [pytest.mark.browser, pytest.mark.broker]


@pytest.fixture(scope="module")
def music_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePage]:
    folder = tmp_path_factory.mktemp("music-page")
    music = folder / "music"
    music.mkdir()
    write_wav(music / "tone <b>one.wav", sine(8, 300, -20))
    mp3(music / "covered.mp3", id3_with(picture()))
    (music / "moods.csv").write_text("path,valence,arousal\ntone <b>one.wav,0.5,0.5\ncovered.mp3,-0.5,-0.5\n")
    scan_library([music], folder / "cache", timeout_s=60)
    with live_page(folder, music=(str(music),)) as found:
        found.talker.all_is_well()
        yield found


@pytest.mark.parametrize("sheet", [{"viewport": {"width": 1280, "height": 1000}}], indirect=True)
def test_a_point_and_a_row_play_their_track(music_page: LivePage, sheet: Sheet) -> None:
    tab = sheet.go(music_page, "/library")
    tab.get_by_text("2 tracks").wait_for()
    tab.wait_for_function("getElement(document.querySelector('.library-chart').id.slice(1))?.chart")
    library = tab.locator(".library-chart")
    box = resting_box(tab, library)
    span = (box["width"] - 60) / 2.1
    library.click(position={"x": box["width"] / 2 + 0.5 * span, "y": box["height"] / 2 - 0.5 * span})
    point = music_page.talker.wait_command("play")["id"]
    tab.get_by_role("searchbox").fill("COVER")
    row = tab.get_by_role("listitem")
    tab.wait_for_function("document.querySelectorAll('[role=listitem]').length === 1")
    row.get_by_role("button").click()
    covered = music_page.talker.wait_command("play")["id"]
    assert covered != point
    tab.get_by_role("searchbox").fill("no such track")
    tab.get_by_text("No track is called that.").wait_for()
    mood = documents.TrackMood(valence=-0.5, arousal=-0.5, source="sidecar", confidence=1.0)
    music_page.talker.say(say.player(track=say.track(1, id=covered, title="covered", mood=mood)))
    tab = sheet.go(music_page)
    tab.wait_for_function("document.querySelector('.art img')?.naturalWidth > 100")


def test_a_path_is_never_told(music_page: LivePage) -> None:
    for path in ("/", "/library"):
        body = music_page.get(path).body  # type: ignore[attr-defined]
        assert str(music_page.folder).encode() not in body
