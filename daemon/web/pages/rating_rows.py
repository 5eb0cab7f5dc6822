"""Two rows of five buttons: how pleasant and how lively a piece was (Bradley & Lang 1994)."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from daemon.web.viewer import Viewer, attribute, button, named, swap_class, tag, words

AXES = (("valence", "v"), ("arousal", "a"))


class RatingRows:
    """Builds the rows; ``take`` gives what was chosen, 1 to 5 each, and clears it."""

    def __init__(self, viewer: Viewer) -> None:
        texts = viewer.hub.texts
        self._chosen: dict[str, int | None] = {axis: None for axis, _ in AXES}
        self._choices: list[tuple[str, int, ui.button]] = []
        for axis, letter in AXES:
            with tag("div", "feel-row"):
                words("p", "small muted", texts(f"feel.{axis}"))
                with named(tag("div", "choices"), role="group", aria_label=texts(f"feel.{axis}")):
                    for mark in range(1, 6):
                        made = button(texts(f"feel.{letter}{mark}"), self._chooser(axis, mark))
                        self._choices.append((axis, mark, made))
        self._show()

    def take(self) -> tuple[int, int] | None:
        """The rating, or None while one of the two is missing."""
        valence, arousal = self._chosen["valence"], self._chosen["arousal"]
        if valence is None or arousal is None:
            return None
        self._chosen = {axis: None for axis, _ in AXES}
        self._show()
        return valence, arousal

    def _chooser(self, axis: str, mark: int) -> Callable[[], None]:
        def choose() -> None:
            self._chosen[axis] = mark
            self._show()

        return choose

    def _show(self) -> None:
        for axis, mark, choice in self._choices:
            swap_class(choice, self._chosen[axis] == mark, "on")
            attribute(choice, "aria-pressed", "true" if self._chosen[axis] == mark else "false")
