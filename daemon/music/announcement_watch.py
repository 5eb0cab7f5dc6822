"""When a cue is due: from what the engine says of rest and headset. Pure: clocks are arguments."""

from __future__ import annotations

from daemon.mqtt import documents
from player.mixing.announcements import AnnouncementName

FRESH_S = 10.0
"""Older documents are what a broker kept, and a cue that could not be told by then is late."""
BEGINNING_S = 5.0
"""A player that starts within so much trusted rest still says that the rest begins."""
GONE_S = 8.0
"""A headset must be gone for so long: shorter gaps mend themselves."""
LOST_APART_S = 120.0
"""A link that comes and goes is not told each time."""


class AnnouncementWatch:
    """Takes in documents; ``due`` is asked about once a second.

    Only a wearer who is there is told anything: not a simulated one, nor a recording.
    """

    def __init__(self) -> None:
        self._phase: str | None = None
        self._waiting: tuple[AnnouncementName, float] | None = None
        self._wearer = False
        self._gone_s: float | None = None
        self._told_lost = False
        self._told_s = -LOST_APART_S

    def on_document(self, document: documents.Document, age_s: float, now_s: float) -> None:
        """A ``session`` or ``headset`` document that was said ``age_s`` ago."""
        if isinstance(document, documents.Headset):
            self._on_headset(document, now_s)
        elif isinstance(document, documents.Session):
            cue = self._of_session(document)
            if cue is not None and age_s <= FRESH_S:
                self._waiting = (cue, now_s)

    def due(self, now_s: float) -> AnnouncementName | None:
        """The cue that is to be heard now."""
        if not self._wearer:
            return None
        if self._waiting is not None:
            (cue, since_s), self._waiting = self._waiting, None
            if now_s - since_s <= FRESH_S:
                return cue
        if self._gone_s is None:
            back, self._told_lost = self._told_lost, False
            return "headset_back" if back else None
        early = now_s - self._gone_s < GONE_S or now_s - self._told_s < LOST_APART_S
        if self._told_lost or early:
            return None
        self._told_lost, self._told_s = True, now_s
        return "headset_lost"

    def _of_session(self, session: documents.Session) -> AnnouncementName | None:
        before, self._phase = self._phase, session.phase
        missed = before is None and session.baseline_trusted_s > BEGINNING_S
        if not session.baseline_wanted_s or missed:
            return None
        if session.phase == "calibrating" and before != "calibrating":
            return "rest_begin"
        return "rest_end" if session.phase == "running" and before == "calibrating" else None

    def _on_headset(self, headset: documents.Headset, now_s: float) -> None:
        if headset.state == "streaming":
            self._wearer = not headset.simulated and not headset.source.startswith("replay:")
            self._gone_s = None
        elif headset.state == "ended":
            self._wearer = False
        elif self._gone_s is None:
            self._gone_s = now_s
