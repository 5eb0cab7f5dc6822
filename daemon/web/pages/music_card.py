"""What plays: picture, progress, the crossfade as it happens, what follows and why."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from nicegui import ui

from daemon.web.charts.fade_chart import fade_options
from daemon.web.music_view import MusicView, TrackView
from daemon.web.pages.music_controls import controls
from daemon.web.viewer import Viewer, attribute, fill, named, swap_class, tag, words

Show = Callable[[MusicView], None]


def music_card(viewer: Viewer) -> None:
    """Build the card."""
    texts = viewer.hub.texts
    words("h2", "card-title", texts("music.heading"))
    parts = [
        _track(viewer),
        _progress(viewer),
        controls(viewer),
        _coming(viewer),
        _fade(viewer),
        _why(viewer),
    ]

    def show() -> None:
        music = viewer.hub.views()[1]
        for part in parts:
            part(music)

    viewer.each_tick(show)


def _track(viewer: Viewer) -> Show:
    texts = viewer.hub.texts
    with tag("div", "track"):
        art = Artwork()
        with tag("div"):
            title = words("p", "track-title", "")
            artist = words("p", "track-artist", "")

    def show(music: MusicView) -> None:
        track = music.track
        title.text = track.title if track else texts("music.nothing")
        artist.text = track.artist if track else ("" if music.present else texts("music.nothing_detail"))
        art.show(track)

    return show


def _progress(viewer: Viewer) -> Show:
    with tag("div", "progress numeric"):
        elapsed = words("span", "", "0:00")
        with tag("div", "meter music") as meter:
            bar = tag("div")
        length = words("span", "", "0:00")
    named(meter, role="progressbar", aria_valuemin="0", aria_valuemax="100")
    named(meter, aria_label=viewer.hub.texts("music.progress"))

    def show(music: MusicView) -> None:
        elapsed.text, length.text = music.elapsed, music.length
        fill(bar, music.share)
        attribute(meter, "aria-valuenow", str(round(100 * music.share)))

    return show


def _coming(viewer: Viewer) -> Show:
    texts = viewer.hub.texts
    with tag("div", "coming"):
        art = Artwork(tiny=True)
        with tag("div"):
            coming = words("p", "muted small", "")
            title = words("p", "coming-title", "")

    def show(music: MusicView) -> None:
        art.show(music.next)
        coming.text = texts("music.fading" if music.fading is not None else "music.next")
        title.text = _name(music.next) if music.next else texts("music.no_next")

    return show


def _why(viewer: Viewer) -> Show:
    with tag("div", "why"):
        words("h3", "card-title", viewer.hub.texts("music.why"))
        why = words("p", "", "")
        notes = words("p", "muted small", "")

    def show(music: MusicView) -> None:
        why.text = music.why
        notes.text = _notes(music, viewer)

    return show


def _name(track: TrackView) -> str:
    return f"{track.title} – {track.artist}" if track.artist else track.title


def _notes(music: MusicView, viewer: Viewer) -> str:
    texts = viewer.hub.texts
    output = texts("music.output", output=music.output) if music.output != "null" else texts("music.unheard")
    return " · ".join([*music.notes, output]) if music.present else ""


class Artwork:
    """The track's own picture where it has one, else a colour of its own."""

    def __init__(self, *, tiny: bool = False) -> None:
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


def _fade(viewer: Viewer) -> Show:
    """Two wedges of loudness that cross, shown while a crossfade runs."""
    chart = ui.echart(fade_options(0.0, viewer.colours)).classes("fade-bar")
    named(chart, aria_hidden="true")
    chart.set_visibility(False)

    def show(music: MusicView) -> None:
        chart.set_visibility(music.fading is not None)
        if music.fading is not None:
            chart.run_chart_method("setOption", fade_options(music.fading, viewer.colours))

    return show
