"""A bar at the foot of the page that takes back what was just done, for some seconds."""

from __future__ import annotations

from collections.abc import Callable

from daemon.web.viewer import Viewer, button, named, swap_class, tag, words

SHOWN_S = 12.0


class UndoBar:
    """Over the page, so that it moves nothing; the newest offer stands alone."""

    def __init__(self, viewer: Viewer) -> None:
        self._clock = viewer.hub.state.clock
        self._until_s = 0.0
        self._undo: Callable[[], object] = lambda: None
        with named(tag("div", "undo-bar"), role="status", aria_live="polite") as self._bar:
            self._text = words("span", "wrap-anywhere", "")
            self._button = button(viewer.texts("app.undo"), self._back, classes="small-btn")
        viewer.offer = self.offer
        viewer.each_tick(self._show)

    def offer(self, text: str, undo: Callable[[], object]) -> None:
        """Say what was done, and that it may be taken back."""
        self._text.text, self._undo = text, undo
        self._until_s = self._clock() + SHOWN_S
        self._show()

    def _back(self) -> None:
        self._until_s = 0.0
        self._undo()
        self._show()

    def _show(self) -> None:
        shown = self._clock() < self._until_s
        swap_class(self._bar, shown, "shown")
        self._button.set_visibility(shown)
