"""The library in the plane: every track a point, a touch plays it; the same as a list to search."""

from __future__ import annotations

from typing import Any

from nicegui import run, ui

from daemon.mqtt import commands
from daemon.web.charts.library_chart import MAX_POINTS, library_options
from daemon.web.pages.frame import frame
from daemon.web.state.track_library import MapTrack
from daemon.web.viewer import Viewer, named, tag, words

LISTED = 60


async def library_page(viewer: Viewer) -> None:
    """Build the page."""
    texts = viewer.texts
    with frame(viewer, "library"):
        tracks = await run.io_bound(viewer.hub.library.tracks)
        with tag("div", "stack"):
            with tag("div"):
                words("h1", "page-title", texts("library.heading"))
                words("p", "page-hint", texts("library.hint"))
            if not tracks:
                words("section", "card empty", texts("library.empty"))
                return
            with tag("div", "library"):
                with tag("section", "card"):
                    _map(viewer, tracks)
                with tag("section", "card"):
                    _list(viewer, tracks)


def _play(viewer: Viewer, track: MapTrack) -> None:
    said = viewer.texts("library.asked", title=track.title)
    viewer.send("play", commands.PlayCommand(id=track.id), said)


def _map(viewer: Viewer, tracks: tuple[MapTrack, ...]) -> None:
    hub, texts = viewer.hub, viewer.texts
    step = max(1, len(tracks) // MAX_POINTS + (len(tracks) % MAX_POINTS > 0 and len(tracks) > MAX_POINTS))
    shown = tracks[::step]
    by_id = {track.id: track for track in shown}
    key = "library.count" if step == 1 else "library.some"
    words("h2", "card-title", texts(key, count=len(tracks), shown=len(shown)))

    def options() -> dict[str, Any]:
        return library_options(shown, _playing(viewer), viewer.colours, texts)

    def chosen(event: Any) -> None:
        value = event.value
        track = by_id.get(value[2]) if isinstance(value, list) and len(value) == 3 else None
        if track is not None:
            _play(viewer, track)

    chart = ui.echart(options(), on_point_click=chosen).classes("library-chart")
    named(chart, role="img", aria_label=texts("library.map_label", count=len(tracks)))
    with tag("div", "legend"):
        for name, text in (("you", "people"), ("analysed", "analysis"), ("target", "playing")):
            with tag("span", f"key {name}"):
                tag("i")
                words("span", "", texts(f"library.{text}"))
        words("span", "", texts("library.no_valence"))
    playing = [_playing(viewer)]

    def redraw() -> None:
        chart.options.clear()
        chart.options.update(options())
        chart.update()

    def follow() -> None:
        now = _playing(viewer)
        if now != playing[0]:
            playing[0] = now
            chart.run_chart_method("setOption", {"series": [options()["series"][-1]]})

    viewer.on_theme(redraw)
    viewer.each_tick(follow)
    del hub


def _playing(viewer: Viewer) -> str | None:
    track = viewer.views()[1].track
    return track.id if track else None


def _list(viewer: Viewer, tracks: tuple[MapTrack, ...]) -> None:
    texts = viewer.texts
    named(words("label", "card-title", texts("library.search")), **{"for": "track-search"})
    search = named(
        tag("input", "input"), id="track-search", type="search", autocomplete="off", maxlength="80"
    )
    rows = named(tag("div", "track-list"), role="list")

    def show(word: str) -> None:
        wanted = word.casefold()[:80]
        found = [t for t in tracks if wanted in t.title.casefold() or wanted in t.artist.casefold()]
        rows.clear()
        with rows:
            if not found:
                words("p", "muted", texts("library.none_found"))
            for track in found[:LISTED]:
                _row(viewer, track)

    search.on(
        "input",
        lambda event: show(str(event.args)),
        js_handler="(event) => emit(event.target.value)",
        throttle=0.3,
    )
    show("")


def _row(viewer: Viewer, track: MapTrack) -> None:
    texts = viewer.texts
    with (
        named(tag("div"), role="listitem"),
        ui.button(on_click=lambda: _play(viewer, track), color=None)
        .props("flat no-caps")
        .classes("track-row"),
    ):
        ui.icon("play_arrow").style("font-size:22px")
        # no label of its own: what is said is what is seen, after one word more (WCAG 2.5.3)
        words("span", "visually-hidden", texts("library.play"))
        with tag("span").style("min-width:0;display:grid"):
            words("span", "coming-title", track.title)
            words("span", "muted small", track.artist)
