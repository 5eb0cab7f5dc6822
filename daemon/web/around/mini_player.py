"""What plays, at the foot of every page of a phone or an upright tablet."""

from __future__ import annotations

from nicegui import ui

from daemon.mqtt import commands
from daemon.web.around.cover_picture import CoverPicture
from daemon.web.viewer import Viewer, attribute, fill, icon_button, named, swap_class, tag, words


def mini_player(viewer: Viewer, page: str) -> None:
    """Build the bar; it lies over the page, so that it moves nothing.

    On the session's page it waits until the music card has been scrolled away.
    """
    texts = viewer.texts
    with named(tag("section", "mini"), aria_label=texts("music.heading")) as bar:
        art = CoverPicture(tiny=True)
        with tag("div", "mini-words"):
            title = words("p", "coming-title", "")
            artist = words("p", "muted small track-artist", "")
        play = icon_button("pause", texts("music.pause"), lambda: _pause(viewer), classes="plain")
        icon_button(
            "skip_next",
            texts("music.skip"),
            lambda: viewer.send("skip", commands.SkipCommand()),
            classes="plain",
        )
        with named(tag("div", "meter music"), aria_hidden="true"):
            progress = tag("div")
    if page == "session":
        bar.classes("mini-waits")
        ui.run_javascript(f"neuro.miniPlayer({bar.id})")

    def show() -> None:
        music = viewer.views()[1]
        art.show(music.track)
        swap_class(bar, music.track is None, "nothing")
        title.text = music.track.title if music.track else ""
        artist.text = music.track.artist if music.track else ""
        attribute(play, "icon", "play_arrow" if music.paused else "pause")
        for name in ("aria-label", "title"):
            attribute(play, name, texts("music.resume" if music.paused else "music.pause"))
        fill(progress, music.share)

    viewer.each_tick(show)


def _pause(viewer: Viewer) -> None:
    viewer.send("pause", commands.PauseCommand(paused=not viewer.views()[1].paused))


def _skip(viewer: Viewer) -> None:
    viewer.send("skip", commands.SkipCommand())
