"""What the listener likes and never wants again, with the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nicegui import run, ui

from daemon.mqtt import commands
from daemon.web.state.track_library import MapTrack
from daemon.web.viewer import Viewer, button, named, tag, words
from player.choice.taste import Taste

REFRESH_S = 2.0
LISTED = 200


class TasteCard:
    """Two lists, drawn anew only when they have changed."""

    def __init__(self, viewer: Viewer, tracks: Sequence[MapTrack]) -> None:
        self._viewer = viewer
        self._by_id = {track.id: track for track in tracks}
        self._drawn: Taste | None = None
        texts = viewer.texts
        self._headings = {}
        self._lists = {}
        for which in ("banned", "liked"):
            self._headings[which] = words("h2", "card-title", texts(f"taste.{which}", count=0))
            listed = named(tag("ul", "taste-list"), aria_label=texts(f"taste.{which}_label"))
            self._lists[which] = listed
        ui.timer(REFRESH_S, self._refresh)

    async def _refresh(self) -> None:
        taste = await run.io_bound(self._viewer.hub.taste)
        if taste is None or taste == self._drawn or self._viewer.client.is_deleted:
            return
        self._drawn = taste
        for which, ids in (("banned", taste.banned), ("liked", taste.liked)):
            self._headings[which].text = self._viewer.texts(f"taste.{which}", count=len(ids))
            self._lists[which].clear()
            with self._lists[which]:
                self._rows(which, sorted(ids, key=self._title))

    def _title(self, track_id: str) -> str:
        track = self._by_id.get(track_id)
        return track.title if track else self._viewer.texts("taste.elsewhere")

    def _rows(self, which: str, ids: Sequence[str]) -> None:
        texts = self._viewer.texts
        if not ids:
            words("li", "muted small", texts(f"taste.no_{which}"))
        for track_id in ids[:LISTED]:
            title = self._title(track_id)
            with tag("li", "row-line between"):
                words("span", "wrap-anywhere taste-title", title)
                back = button(texts(f"taste.back_{which}"), self._taker(which, track_id), classes="small-btn")
                named(back, aria_label=texts(f"taste.back_{which}_one", title=title))

    def _taker(self, which: str, track_id: str) -> Callable[[], None]:
        def back() -> None:
            if which == "banned":
                self._viewer.send("ban", commands.BanCommand(id=track_id, banned=False))
            else:
                self._viewer.send("like", commands.LikeCommand(id=track_id, liked=False))

        return back
