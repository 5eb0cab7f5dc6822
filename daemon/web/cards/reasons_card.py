"""Every decision of a session with its sentence, as a list that needs no pointer and no eyes."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.web.charts.history_lane import kind_word, local_time
from daemon.web.viewer import Viewer, named, tag, words
from daemon.web.views.history_view import TrackChoice

LISTED = 100


class ReasonsCard:
    """The newest decisions above; drawn anew only when there are others, so that nobody loses the place."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._shown: tuple[TrackChoice, ...] | None = None
        texts = viewer.texts
        self._heading = words("h2", "card-title", texts("history.reasons"))
        self._list = named(tag("ol", "reasons"), tabindex="0", aria_label=texts("history.reasons"))

    def show(self, decisions: Sequence[TrackChoice]) -> None:
        """List these, at most ``LISTED`` of them."""
        texts, newest = self._viewer.texts, tuple(decisions[-LISTED:])
        if newest == self._shown:
            return
        self._shown = newest
        some = len(decisions) > len(newest)
        count = texts("history.reasons_some", shown=len(newest), count=len(decisions))
        self._heading.text = count if some else texts("history.reasons")
        self._list.clear()
        with self._list:
            if not newest:
                words("li", "muted", texts("history.no_reasons"))
            for one in reversed(newest):
                self._row(one)

    def _row(self, one: TrackChoice) -> None:
        with tag("li"):
            words("span", "muted small numeric", local_time(one.at_s))
            with tag("div"):
                with tag("p", "reason-head"):
                    words("strong", "wrap-anywhere", one.title or self._viewer.texts("music.untitled"))
                    for_mood = "accent" if one.kind == "mood_change" else ""
                    words("span", f"chip {for_mood}", kind_word(one.kind, self._viewer.texts))
                words("p", "muted wrap-anywhere", one.why)
