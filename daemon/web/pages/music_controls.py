"""What can be done with the music: pause, skip, like, ban and the volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.element import Element

from daemon import messages, topics
from daemon.web.music_view import MusicView
from daemon.web.viewer import Viewer, attribute, icon_button, named, swap_class, tag

HELD_S = 2.0
"""What the player said up to so long after a move is of the time before it."""


def controls(viewer: Viewer) -> Callable[[MusicView], None]:
    """Build the buttons; returns what shows their state."""
    texts = viewer.hub.texts
    with tag("div", "controls"):
        play = icon_button("pause", texts("music.pause"), lambda: _pause(viewer), classes="primary big")
        icon_button("skip_next", texts("music.skip"), lambda: viewer.send("skip", messages.SkipCommand()))
        heart = icon_button("favorite_border", texts("music.like"), lambda: _like(viewer))
        icon_button("block", texts("music.ban"), lambda: _ban(viewer))
        with tag("div", "volume"):
            ui.icon("volume_up")
            slider = named(tag("input", "range"), type="range", min="0", max="100", step="1")
            named(slider, aria_label=texts("music.volume"))
    follow = _volume(viewer, slider)

    def show(music: MusicView) -> None:
        attribute(play, "icon", "play_arrow" if music.paused else "pause")
        for name in ("aria-label", "title"):
            attribute(play, name, texts("music.resume" if music.paused else "music.pause"))
        liked = music.track is not None and music.track.liked
        attribute(heart, "icon", "favorite" if liked else "favorite_border")
        attribute(heart, "aria-pressed", "true" if liked else "false")
        swap_class(heart, liked, "on")
        follow(music)

    return show


def _pause(viewer: Viewer) -> None:
    viewer.send("pause", messages.PauseCommand(paused=not viewer.hub.views()[1].paused))


def _like(viewer: Viewer) -> None:
    track, texts = viewer.hub.views()[1].track, viewer.hub.texts
    if track is not None:
        said = texts("music.unliked" if track.liked else "music.liked")
        viewer.send("like", messages.LikeCommand(id=track.id, liked=not track.liked), said)


def _ban(viewer: Viewer) -> None:
    track = viewer.hub.views()[1].track
    if track is not None:
        viewer.send("ban", messages.BanCommand(id=track.id), viewer.hub.texts("music.banned"))


def _volume(viewer: Viewer, slider: Element) -> Callable[[MusicView], None]:
    """The slider follows the player, but never pulls itself out of a hand.

    Its value is set in the browser and is no attribute of ours: an attribute travels back with every
    render, and one a step behind would undo the step that was made meanwhile.
    """
    state = viewer.hub.state
    moved_s, told = [-10.0], [-1]

    def sent(event: Any) -> None:
        value = event.args
        if isinstance(value, int | float) and 0 <= value <= 100:
            moved_s[0], told[0] = state.clock(), round(value)
            viewer.send("volume", messages.VolumeCommand(volume=round(value / 100, 2)))

    slider.on("change", sent, js_handler="(event) => emit(Number(event.target.value))")

    def follow(music: MusicView) -> None:
        percent = round(100 * music.volume)
        news = percent != told[0] and (music.present or told[0] < 0)
        said_s = state.clock() - (state.age_s(topics.PLAYER_STATE) or 0.0)
        if news and said_s - moved_s[0] > HELD_S:
            told[0] = percent
            viewer.client.run_javascript(f"neuro.follow({slider.id}, {percent})")

    return follow
