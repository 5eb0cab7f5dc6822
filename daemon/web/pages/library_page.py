"""The library in the plane: every track a point, a touch plays it; the same as a list to search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import run, ui

from daemon.mqtt import commands
from daemon.web.cards.taste_card import TasteCard
from daemon.web.charts.library_chart import MAX_POINTS, library_options
from daemon.web.pages.frame import frame
from daemon.web.state.track_library import MapTrack
from daemon.web.viewer import Viewer, button, named, tag, words

LISTED = 60
MAX_LIT = 400


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
                    library_map = _Map(viewer, tracks)
                with tag("div", "stack"):
                    with tag("section", "card"):
                        _List(viewer, tracks, library_map.light)
                    with tag("section", "card"):
                        TasteCard(viewer, tracks)


def _play(viewer: Viewer, track: MapTrack) -> None:
    said = viewer.texts("library.asked", title=track.title)
    viewer.send("play", commands.PlayCommand(id=track.id), said)


class _Map:
    """Every measured track a point; what a search finds is lit."""

    def __init__(self, viewer: Viewer, tracks: tuple[MapTrack, ...]) -> None:
        self._viewer = viewer
        placed = tuple(track for track in tracks if track.measured)
        step = max(1, -(-len(placed) // MAX_POINTS))
        self._shown = placed[::step]
        self._by_id = {track.id: track for track in self._shown}
        self._lit: tuple[MapTrack, ...] = ()
        self._now = _playing(viewer)
        self._build(len(tracks), len(placed))
        viewer.on_theme(self._redraw)
        viewer.each_tick(self._follow)

    def _build(self, known: int, placed: int) -> None:
        texts = self._viewer.texts
        key = "library.count" if len(self._shown) == known else "library.some"
        words("h2", "card-title", texts(key, count=known, shown=len(self._shown)))
        self._chart = ui.echart(self._options(), on_point_click=self._chosen).classes("library-chart")
        named(self._chart, role="img", aria_label=texts("library.map_label", count=len(self._shown)))
        with tag("div", "legend"):
            for name, text in (("you", "people"), ("analysed", "analysis"), ("target", "playing")):
                with tag("span", f"key {name}"):
                    tag("i")
                    words("span", "", texts(f"library.{text}"))
            words("span", "", texts("library.no_valence"))
            if placed < known:
                words("span", "unmeasured", texts("library.unmeasured", count=known - placed))

    def light(self, found: Sequence[MapTrack] | None) -> None:
        """Light what was found and let the rest pale; None: nothing is looked for."""
        self._lit = () if found is None else tuple(t for t in found if t.id in self._by_id)[:MAX_LIT]
        series = [one for one in self._options()["series"] if one["id"] == "found"]
        self._chart.run_chart_method("setOption", {"series": series})

    def _options(self) -> dict[str, Any]:
        viewer = self._viewer
        return library_options(self._shown, self._now, viewer.colours, viewer.texts, self._lit)

    def _chosen(self, event: Any) -> None:
        value = event.value
        track = self._by_id.get(value[2]) if isinstance(value, list) and len(value) == 3 else None
        if track is not None:
            _play(self._viewer, track)

    def _redraw(self) -> None:
        self._chart.options.clear()
        self._chart.options.update(self._options())
        self._chart.update()

    def _follow(self) -> None:
        now = _playing(self._viewer)
        if now != self._now:
            self._now = now
            series = [one for one in self._options()["series"] if one["id"] == "playing"]
            self._chart.run_chart_method("setOption", {"series": series})


def _playing(viewer: Viewer) -> str | None:
    track = viewer.views()[1].track
    return track.id if track else None


class _List:
    """The tracks to search; it says how many there are, and shows more of them on a touch."""

    def __init__(
        self,
        viewer: Viewer,
        tracks: tuple[MapTrack, ...],
        light: Callable[[Sequence[MapTrack] | None], None],
    ) -> None:
        self._viewer, self._tracks, self._light = viewer, tracks, light
        self._found: list[MapTrack] = []
        self._listed = 0
        texts = viewer.texts
        named(words("label", "card-title", texts("library.search")), **{"for": "track-search"})
        search = named(
            tag("input", "input"), id="track-search", type="search", autocomplete="off", maxlength="80"
        )
        self._count = named(words("p", "muted small list-count", ""), role="status")
        self._rows = named(tag("div", "track-list"), role="list")
        self._more = button(texts("library.more", count=LISTED), self._show_more, classes="small-btn")
        search.on(
            "input",
            lambda event: self._look_for(str(event.args)),
            js_handler="(event) => emit(event.target.value)",
            throttle=0.3,
        )
        self._look_for("")

    def _look_for(self, word: str) -> None:
        wanted = word.casefold()[:80]
        tracks = self._tracks
        self._found = [t for t in tracks if wanted in t.title.casefold() or wanted in t.artist.casefold()]
        self._listed = 0
        self._rows.clear()
        if not self._found:
            with self._rows:
                words("p", "muted", self._viewer.texts("library.none_found"))
        self._light(self._found if wanted else None)
        self._show_more()

    def _show_more(self) -> None:
        with self._rows:
            for track in self._found[self._listed : self._listed + LISTED]:
                _row(self._viewer, track)
        self._listed = min(len(self._found), self._listed + LISTED)
        rest = len(self._found) - self._listed
        self._more.set_visibility(rest > 0)
        self._count.text = self._viewer.texts("library.listed", shown=self._listed, count=len(self._found))


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
            words("span", "muted small", track.artist if track.measured else _unmeasured(viewer, track))


def _unmeasured(viewer: Viewer, track: MapTrack) -> str:
    told = viewer.texts("library.not_measured")
    return f"{track.artist} · {told}" if track.artist else told
