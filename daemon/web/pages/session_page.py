"""The session page: where you are, what plays and why, and how to steer it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from daemon.mqtt import commands
from daemon.safe_text import clock_time
from daemon.web.pages.frame import frame
from daemon.web.pages.music_card import music_card
from daemon.web.pages.plane_card import plane_card
from daemon.web.viewer import Viewer, attribute, button, fill, named, swap_class, tag, words
from daemon.web.views.mood_view import MoodView

STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def feel_card(viewer: Viewer, after: Callable[[], None] | None = None) -> None:
    """Build the card. ``after`` is called when a word was sent."""
    texts = viewer.texts
    chosen: dict[str, float | None] = {"arousal": None, "valence": None}
    words("h2", "card-title", texts("feel.heading"))
    words("p", "muted small", texts("feel.hint"))
    rows = [_row(viewer, axis, letter, chosen) for axis, letter in (("valence", "v"), ("arousal", "a"))]

    def send() -> None:
        arousal, valence = chosen["arousal"], chosen["valence"]
        if arousal is None or valence is None:
            viewer.notify(texts("feel.incomplete"))
            return
        label = commands.LabelCommand(valence=valence, arousal=arousal)
        if viewer.send("label", label, texts("feel.sent")):
            chosen.update(arousal=None, valence=None)
            for row in rows:
                row()
            if after is not None:
                after()

    with tag("div", "row-line").style("margin-top:14px;justify-content:flex-end"):
        button(texts("feel.send"), send, classes="primary")


def _row(viewer: Viewer, axis: str, letter: str, chosen: dict[str, float | None]) -> Callable[[], None]:
    texts = viewer.texts
    choices: list[tuple[float, ui.button]] = []

    def show() -> None:
        for value, choice in choices:
            swap_class(choice, chosen[axis] == value, "on")
            attribute(choice, "aria-pressed", "true" if chosen[axis] == value else "false")

    def choose(value: float) -> Any:
        def act() -> None:
            chosen[axis] = value
            show()

        return act

    with tag("div", "feel-row"):
        words("p", "small muted", texts(f"feel.{axis}"))
        with named(tag("div", "choices"), role="group", aria_label=texts(f"feel.{axis}")):
            for number, value in enumerate(STEPS, 1):
                choices.append((value, button(texts(f"feel.{letter}{number}"), choose(value))))
    show()
    return show


def session_page(viewer: Viewer) -> None:
    """Build the page."""
    texts = viewer.texts
    with frame(viewer, "session"):
        words("h1", "visually-hidden", texts("nav.session"))
        with tag("div", "session"):
            with tag("section", "card area-mood"):
                _mood_card(viewer)
            with tag("section", "card area-music"):
                music_card(viewer)
                named(words("a", "to-stage", texts("stage.open")), href="/stage")
            with tag("section", "card area-plane"):
                plane_card(viewer)
            with tag("section", "card area-feel"):
                feel_card(viewer)


def _mood_card(viewer: Viewer) -> None:
    texts = viewer.texts
    words("h2", "card-title", texts("mood.heading"))
    with named(tag("div", "mood-head"), aria_live="polite") as head:
        headline = words("p", "mood-headline", "")
        detail = words("p", "muted mood-detail", "")
    with tag("div", "mood-foot"):
        with tag("div", "sure-line small"):
            what = words("span", "muted", texts("mood.confidence"))
            sure = words("span", "numeric mood-sure", "")
        with named(tag("div", "meter"), role="progressbar", aria_valuemin="0", aria_valuemax="100") as meter:
            bar = tag("div")
        foot = words("p", "muted small foot-words", "")

    def show() -> None:
        mood = viewer.views()[0]
        resting = mood.rest_share is not None
        share = mood.rest_share if mood.rest_share is not None else mood.confidence
        swap_class(head, not mood.known, "unknown")
        headline.text, detail.text = mood.headline, mood.detail
        what.text = texts("mood.rest_progress" if resting else "mood.confidence")
        sure.text = _sure_words(mood, viewer)
        fill(bar, share)
        attribute(meter, "aria-valuenow", str(round(100 * share)))
        attribute(meter, "aria-label", what.text)
        foot.text = _foot(mood, viewer)

    viewer.each_tick(show)


def _sure_words(mood: MoodView, viewer: Viewer) -> str:
    texts = viewer.texts
    if mood.rest_share is not None:
        return f"{round(100 * mood.rest_share)} %"
    if not mood.known:
        return texts("mood.no_confidence")
    return mood.sureness


def _foot(mood: MoodView, viewer: Viewer) -> str:
    texts = viewer.texts
    if mood.known:
        since = texts("mood.since", time=clock_time(mood.since_s))
        return f"{since} · {texts('mood.model', model=mood.model)}"
    if mood.last is not None:
        return texts("mood.last_known", time=clock_time(viewer.hub.state.clock() - mood.last.at_s))
    return ""
