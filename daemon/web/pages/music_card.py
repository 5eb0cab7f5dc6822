"""What plays: picture, progress, the crossfade as it happens, what follows and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element

from daemon import messages
from daemon.web.charts.fade_chart import fade_options
from daemon.web.music_view import MusicView, TrackView
from daemon.web.viewer import Viewer, attribute, icon_button, named, swap_class, tag, words


def music_card(viewer: Viewer) -> None:
    """Build the card."""
    texts = viewer.hub.texts
    words("h2", "card-title", texts("music.heading"))
    with tag("div", "track"):
        art = Artwork(viewer)
        with tag("div"):
            title = words("p", "track-title", "")
            artist = words("p", "track-artist", "")
    progress = _progress(viewer)
    _controls(viewer)
    with tag("div", "coming"):
        next_art = Artwork(viewer, tiny=True)
        with tag("div"):
            coming = words("p", "muted small", "")
            next_title = words("p", "coming-title", "")
    fade = _fade(viewer)
    with tag("div", "why"):
        words("h3", "card-title", texts("music.why"))
        why = words("p", "", "")
        notes = words("p", "muted small", "")

    def show() -> None:
        music = viewer.hub.views()[1]
        track = music.track
        title.text = track.title if track else texts("music.nothing")
        artist.text = track.artist if track else ("" if music.present else texts("music.nothing_detail"))
        art.show(track)
        next_art.show(music.next)
        progress(music)
        coming.text = texts("music.fading" if music.fading is not None else "music.next")
        next_title.text = _name(music.next) if music.next else texts("music.no_next")
        why.text = music.why
        notes.text = _notes(music, viewer)
        fade(music)

    viewer.each_tick(show)


def _progress(viewer: Viewer) -> Callable[[MusicView], None]:
    """Time gone, a bar and the track's length."""
    with tag("div", "progress numeric"):
        elapsed = words("span", "", "0:00")
        with named(
            tag("div", "meter music"), role="progressbar", aria_valuemin="0", aria_valuemax="100"
        ) as meter:
            named(meter, aria_label=viewer.hub.texts("music.progress"))
            bar = tag("div")
        length = words("span", "", "0:00")

    def show(music: MusicView) -> None:
        elapsed.text, length.text = music.elapsed, music.length
        width = f"{100 * music.share:.1f}%"
        if bar.style.get("width") != width:
            bar.style(f"width:{width}")
        attribute(meter, "aria-valuenow", str(round(100 * music.share)))

    return show


def _name(track: TrackView) -> str:
    return f"{track.title} – {track.artist}" if track.artist else track.title


def _notes(music: MusicView, viewer: Viewer) -> str:
    texts = viewer.hub.texts
    output = texts("music.output", output=music.output) if music.output != "null" else texts("music.unheard")
    return " · ".join([*music.notes, output]) if music.present else ""


class Artwork:
    """The track's own picture where it has one, else a colour of its own."""

    def __init__(self, viewer: Viewer, *, tiny: bool = False) -> None:
        self._viewer = viewer
        self._id: str | None = ""
        with tag("div", "art none tiny" if tiny else "art none") as self._box:
            ui.icon("music_note")
            self._image = tag("img")
            self._image.on("error", js_handler="(event) => event.target.classList.add('missing')")
            self._image.on("load", js_handler="(event) => event.target.classList.remove('missing')")
        self._image.set_visibility(False)
        named(self._box, aria_hidden="true")

    def show(self, track: TrackView | None) -> None:
        """Change the picture when the track changed."""
        name = track.id if track else None
        if name == self._id:
            return
        self._id = name
        swap_class(self._box, track is None, "none")
        self._image.set_visibility(False)
        if track is not None:
            self._box.style(f"--hue:{track.hue}")
            # shown by the browser once it has come; a track without a cover keeps its colour
            named(self._image, src=f"/artwork/{quote(track.id, safe='')}", alt="")
            self._image.set_visibility(True)


def _controls(viewer: Viewer) -> None:
    texts = viewer.hub.texts

    def pause() -> None:
        paused = viewer.hub.views()[1].paused
        viewer.send("pause", messages.PauseCommand(paused=not paused))

    with tag("div", "controls"):
        play = icon_button("pause", texts("music.pause"), pause, classes="primary big")
        icon_button("skip_next", texts("music.skip"), lambda: viewer.send("skip", messages.SkipCommand()))
        heart = icon_button("favorite_border", texts("music.like"), lambda: _like(viewer))
        icon_button("block", texts("music.ban"), lambda: _ban(viewer))
        with tag("div", "volume"):
            ui.icon("volume_up")
            slider = named(tag("input", "range"), type="range", min="0", max="100", step="1", value="100")
            named(slider, aria_label=texts("music.volume"))

    touched = _volume(viewer, slider)

    def show() -> None:
        music = viewer.hub.views()[1]
        attribute(play, "icon", "play_arrow" if music.paused else "pause")
        attribute(play, "aria-label", texts("music.resume" if music.paused else "music.pause"))
        attribute(play, "title", texts("music.resume" if music.paused else "music.pause"))
        liked = music.track is not None and music.track.liked
        attribute(heart, "icon", "favorite" if liked else "favorite_border")
        attribute(heart, "aria-pressed", "true" if liked else "false")
        swap_class(heart, liked, "on")
        touched(music)

    viewer.each_tick(show)


def _like(viewer: Viewer) -> None:
    track = viewer.hub.views()[1].track
    if track is not None:
        said = viewer.hub.texts("music.unliked" if track.liked else "music.liked")
        viewer.send("like", messages.LikeCommand(id=track.id, liked=not track.liked), said)


def _ban(viewer: Viewer) -> None:
    track = viewer.hub.views()[1].track
    if track is not None:
        viewer.send("ban", messages.BanCommand(id=track.id), viewer.hub.texts("music.banned"))


def _volume(viewer: Viewer, slider: Element) -> Callable[[MusicView], None]:
    """The slider follows the player, but never pulls itself out of a hand."""
    clock = viewer.hub.state.clock
    moved_s = [-10.0]

    def sent(event: Any) -> None:
        moved_s[0] = clock()
        value = event.args
        if isinstance(value, int | float) and 0 <= value <= 100:
            attribute(slider, "value", str(round(value)))
            viewer.send("volume", messages.VolumeCommand(volume=round(value / 100, 2)))

    slider.on("change", sent, js_handler="(event) => emit(Number(event.target.value))")

    def follow(music: MusicView) -> None:
        if music.present and clock() - moved_s[0] > 2.0:
            attribute(slider, "value", str(round(100 * music.volume)))

    return follow


def _fade(viewer: Viewer) -> Callable[[MusicView], None]:
    """Two wedges of loudness that cross, shown while a crossfade runs."""
    chart = ui.echart(fade_options(0.0, viewer.colours)).classes("fade-bar")
    named(chart, aria_hidden="true")
    chart.set_visibility(False)

    def show(music: MusicView) -> None:
        chart.set_visibility(music.fading is not None)
        if music.fading is not None:
            chart.run_chart_method("setOption", fade_options(music.fading, viewer.colours))

    return show
