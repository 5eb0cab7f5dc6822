"""The list of recordings with consent, and how one is forgotten."""

from __future__ import annotations

from typing import Any

from nicegui import run, ui

from daemon.safe_text import clock_time, shown
from daemon.web.around.record_control import record_control
from daemon.web.state.recordings import RecordedSession, size_words
from daemon.web.viewer import Viewer, ask, button, named, tag, words

REFRESH_S = 5.0


def recordings_card(viewer: Viewer) -> None:
    """Build the card."""
    texts = viewer.texts
    record_control(viewer)
    words("h2", "card-title", texts("recordings.heading")).style("margin-top:24px")
    words("p", "muted small", texts("recordings.private"))
    table = tag("div").style("margin-top:8px;overflow-x:auto")
    drawn: list[object] = [None]

    async def refresh() -> None:
        found = await run.io_bound(viewer.hub.recordings.all)
        if found is not None and found != drawn[0] and not viewer.client.is_deleted:
            drawn[0] = found
            table.clear()
            with table:
                _table(viewer, found, refresh)

    ui.timer(REFRESH_S, refresh)


def _table(viewer: Viewer, found: list[RecordedSession], refresh: Any) -> None:
    texts = viewer.texts
    if not found:
        words("p", "", texts("recordings.none"))
        return
    with tag("table", "plain"):
        with tag("thead"), tag("tr"):
            for key in ("name", "length", "size", "consent"):
                named(words("th", "", texts(f"recordings.{key}")), scope="col")
            with named(tag("th"), scope="col"):
                words("span", "visually-hidden", texts("recordings.forget"))
        with tag("tbody"):
            for recording in found:
                _row(viewer, recording, refresh)


def _row(viewer: Viewer, recording: RecordedSession, refresh: Any) -> None:
    texts = viewer.texts
    when = recording.started.astimezone().strftime(texts("app.date"))
    with tag("tr"):
        with tag("td"):
            words("div", "", when)
            notes = ["growing"] if recording.growing else []
            notes += ["simulated"] if recording.simulated else []
            words("div", "muted small", " · ".join(texts(f"recordings.{note}") for note in notes))
        words("td", "numeric", clock_time(recording.length_s))
        words("td", "numeric", size_words(recording.size_bytes))
        with tag("td"):
            words("div", "", shown(recording.consent_how) or texts("recordings.no_consent"))
            words("div", "muted small", shown(", ".join(recording.consent_scope)))
        with tag("td"):
            forget = button(
                texts("recordings.forget"),
                lambda: _ask(viewer, recording, when, refresh),
                classes="small-btn danger",
            )
            named(forget, aria_label=texts("recordings.forget_one", name=when))


def _ask(viewer: Viewer, recording: RecordedSession, when: str, refresh: Any) -> None:
    texts = viewer.texts

    async def forget() -> None:
        try:
            await run.io_bound(viewer.hub.recordings.forget, recording.name)
            viewer.notify(texts("recordings.forgotten"))
        except (OSError, LookupError) as error:
            viewer.notify(texts("recordings.not_forgotten", error=shown(str(error))))
        await refresh()

    ask(viewer, texts("recordings.forget_ask", name=when), forget)
