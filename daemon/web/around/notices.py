"""What is wrong, in one line that is always there, so that nothing moves; touched, it unfolds."""

from __future__ import annotations

from nicegui import ui

from daemon.web.viewer import Viewer, attribute, named, swap_class, tag, words
from daemon.web.views.fit_view import fit_view
from daemon.web.views.health_view import Notice

ICONS = {"bad": "error_outline", "fair": "info_outline", "good": "check_circle"}
MAX_NOTICES = 4


class _Line:
    """One notice: filled or hidden, so that screen readers hear changes alone."""

    def __init__(self) -> None:
        with tag("div", "notice") as self.box:
            self._icon = ui.icon("info_outline")
            self._text = words("span", "notice-text wrap-anywhere", "")
            self._more = words("span", "notice-more", "")

    def show(self, notice: Notice | None, more: str) -> None:
        """Show this notice, if there is one."""
        self.box.set_visibility(notice is not None)
        if notice is None:
            return
        for level, name in ICONS.items():
            swap_class(self.box, level == notice.level, level)
            if level == notice.level:
                self._icon.name = name
        self._text.text = notice.text
        self._more.text = more


def notices(viewer: Viewer) -> None:
    """Build the line."""
    texts = viewer.texts
    with tag("div", "notice-place"):
        with tag("p", "well small") as well:
            ui.icon("sensors")
            told = words("span", "", "")
        with named(tag("div", "notices"), role="status", aria_live="polite") as place:
            lines = [_Line() for _ in range(MAX_NOTICES)]
    toggle = "(event) => neuro.unfold(event)"
    place.on("click", js_handler=toggle)
    place.on("keydown", js_handler=toggle)
    named(place, title=texts("health.unfold"))

    def show() -> None:
        found = viewer.views()[2]
        well.set_visibility(not found)
        told.text = _well(viewer)
        place.set_visibility(bool(found))
        # to be reached by keys only where there is something to unfold
        attribute(place, "tabindex", "0" if found else "-1")
        for number, line in enumerate(lines):
            hidden = len(found) - 1 if number == 0 else 0
            more = texts("health.more", count=hidden) if hidden else ""
            line.show(found[number] if number < len(found) else None, more)

    viewer.each_tick(show)


def _well(viewer: Viewer) -> str:
    """What there is to say while nothing is wrong."""
    texts, fit = viewer.texts, fit_view(viewer.hub.state, viewer.texts)
    good = sum(electrode.grade == "good" for electrode in fit.electrodes)
    if not fit.fresh or not fit.electrodes:
        return texts("health.waiting")
    return texts("health.well", device=fit.device, good=good, all=len(fit.electrodes))
