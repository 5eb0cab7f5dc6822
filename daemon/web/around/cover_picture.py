"""The picture of a track, or a colour of its own where it has none."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import ui

from daemon.web.viewer import named, swap_class, tag
from daemon.web.views.music_view import TrackView


class CoverPicture:
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
