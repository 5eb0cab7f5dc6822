"""The wearer's own word: five steps of each axis, after the Self-Assessment Manikin (Bradley & Lang 1994)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from daemon import messages
from daemon.web.viewer import Viewer, attribute, button, named, swap_class, tag, words

STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def feel_card(viewer: Viewer, after: Callable[[], None] | None = None) -> None:
    """Build the card. ``after`` is called when a word was sent."""
    texts = viewer.hub.texts
    chosen: dict[str, float | None] = {"arousal": None, "valence": None}
    words("h2", "card-title", texts("feel.heading"))
    words("p", "muted small", texts("feel.hint"))
    rows = [_row(viewer, axis, letter, chosen) for axis, letter in (("valence", "v"), ("arousal", "a"))]

    def send() -> None:
        arousal, valence = chosen["arousal"], chosen["valence"]
        if arousal is None or valence is None:
            viewer.say(texts("feel.incomplete"))
            return
        label = messages.LabelCommand(valence=valence, arousal=arousal)
        if viewer.send("label", label, texts("feel.sent")):
            chosen.update(arousal=None, valence=None)
            for row in rows:
                row()
            if after is not None:
                after()

    with tag("div", "row-line").style("margin-top:14px;justify-content:flex-end"):
        button(texts("feel.send"), send, classes="primary")


def _row(viewer: Viewer, axis: str, letter: str, chosen: dict[str, float | None]) -> Callable[[], None]:
    texts = viewer.hub.texts
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
