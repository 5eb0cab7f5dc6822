"""The calibration: from a good fit over guided minutes and rated music to a verdict, run from the page."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from nicegui import run, ui

from daemon.safe_text import clock_time
from daemon.web.pages.frame import frame
from daemon.web.viewer import Viewer, ask, attribute, button, fill, named, swap_class, tag, words
from daemon.web.views.calibration_view import STEPS, headline, pieces_from, share, step_of, verdict
from daemon.web.views.fit_view import fit_view

AXES = (("valence", "v"), ("arousal", "a"))


class RatingRows:
    """Builds the rows; ``take`` gives what was chosen, 1 to 5 each, and clears it."""

    def __init__(self, viewer: Viewer) -> None:
        texts = viewer.texts
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

    def rating(self) -> tuple[int, int] | None:
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


PIECES = 8
VERDICT_LINES = 3


def calibrate_page(viewer: Viewer) -> None:
    """Build the page."""
    texts = viewer.texts
    with frame(viewer, "calibrate"), tag("div", "stack narrow"):
        with tag("div"):
            words("h1", "page-title", texts("calibrate.heading"))
            words("p", "page-hint", texts("calibrate.intro"))
        _Wizard(viewer).build()


class _Wizard:
    """Shows where the calibration of this machine is, whoever started it."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer, self._calibration = viewer, viewer.hub.calibration

    def build(self) -> None:
        texts = self._viewer.texts
        with tag("ol", "steps"):
            self._marks = [words("li", "", texts(f"calibrate.step_{name}")) for name in STEPS]
        with tag("section", "card") as self._before:
            self._build_before()
        with tag("section", "card") as self._during:
            self._build_during()
        with tag("section", "card") as self._after:
            self._build_after()
        self._viewer.each_tick(self._show)

    def _build_before(self) -> None:
        texts = self._viewer.texts
        words("h2", "card-title", texts("calibrate.step_fit"))
        self._fit_headline = words("p", "big-word", "")
        self._fit_detail = words("p", "muted", "")
        words("p", "", texts("calibrate.what_comes", pieces=PIECES)).style("margin-top:12px")
        with tag("div", "row-line").style("margin-top:14px"):
            button(texts("calibrate.to_fit"), lambda: ui.navigate.to("/fit"))
            button(texts("calibrate.start"), self._start, classes="primary")
            button(texts("calibrate.undo"), self._undo)

    def _build_during(self) -> None:
        texts = self._viewer.texts
        with named(tag("div"), aria_live="polite"):
            self._headline = words("h2", "big-word", "")
            self._detail = words("p", "muted", "")
        self._clock = words("p", "rest-clock", "")
        with tag("div", "meter") as self._meter:
            named(self._meter, role="progressbar", aria_valuemin="0", aria_valuemax="100")
            named(self._meter, aria_label=texts("calibrate.progress")).style("margin-top:12px")
            self._bar = tag("div")
        self._told = words("p", "muted small wrap-anywhere", "")
        with tag("div") as self._asking:
            self._rows = RatingRows(self._viewer)
            with tag("div", "row-line").style("margin-top:14px"):
                button(texts("calibrate.rated"), self._rate, classes="primary")
                button(texts("calibrate.skip"), self._calibration.skip)
                button(texts("calibrate.no_more"), lambda: self._calibration.skip(everything=True))
        with tag("div", "row-line").style("margin-top:16px"):
            button(texts("calibrate.cancel"), self._ask_cancel, classes="plain")

    def _ask_cancel(self) -> None:
        """Up to twelve minutes of somebody's patience do not end by a slip of the finger."""
        question, answers = self._viewer.texts("calibrate.ask"), ("calibrate.stop_it", "calibrate.go_on")
        ask(self._viewer, question, self._calibration.cancel, answers)

    def _build_after(self) -> None:
        texts = self._viewer.texts
        words("h2", "card-title", texts("calibrate.step_verdict"))
        with named(tag("div"), aria_live="polite"):
            self._verdict = [words("p", "verdict wrap-anywhere", "") for _ in range(VERDICT_LINES)]
        with tag("div", "row-line").style("margin-top:14px"):
            button(texts("calibrate.again"), self._start)
            button(texts("calibrate.undo"), self._undo)

    async def _start(self) -> None:
        viewer = self._viewer
        tracks = await run.io_bound(viewer.hub.library.tracks)
        if not self._calibration.start(pieces_from(tracks or (), PIECES, secrets.randbits(32))):
            viewer.notify(viewer.texts("calibrate.busy"))

    async def _undo(self) -> None:
        done = await self._calibration.go_back()
        self._viewer.notify(self._viewer.texts("calibrate.undone" if done else "calibrate.not_undone"))

    def _rate(self) -> None:
        rating = self._rows.rating()
        if rating is None:
            self._viewer.notify(self._viewer.texts("feel.incomplete"))
        else:
            self._calibration.rate(*rating)

    def _show(self) -> None:
        calibration, texts = self._calibration, self._viewer.texts
        at = STEPS.index(step_of(calibration))
        for number, mark in enumerate(self._marks):
            swap_class(mark, number < at, "done")
            swap_class(mark, number == at, "now")
            attribute(mark, "aria-current", "step" if number == at else "false")
        over = calibration.phase in ("done", "failed")
        self._before.set_visibility(calibration.phase == "idle")
        self._during.set_visibility(calibration.busy)
        self._after.set_visibility(over)
        if calibration.phase == "idle":
            self._show_fit()
        elif over:
            found = verdict(calibration.result, texts) if calibration.result is not None else []
            found = found or [texts("calibrate.failed", why=calibration.trouble)]
            for number, line in enumerate(self._verdict):
                line.text = found[number] if number < len(found) else ""
        else:
            self._show_progress()

    def _show_fit(self) -> None:
        texts = self._viewer.texts
        fit = fit_view(self._viewer.hub.state, texts)
        fine = fit.fresh and all(e.grade in ("good", "fair") for e in fit.electrodes)
        self._fit_headline.text = fit.headline
        self._fit_detail.text = texts("calibrate.fit_good" if fine else "calibrate.fit_poor")

    def _show_progress(self) -> None:
        calibration = self._calibration
        self._headline.text, self._detail.text = headline(calibration, self._viewer.texts)
        counting = calibration.phase == "guided" and calibration.step is not None
        self._clock.text = clock_time(calibration.step.left_s) if counting and calibration.step else ""
        self._told.text = calibration.told
        self._asking.set_visibility(calibration.phase == "asking")
        fill(self._bar, share(calibration))
        attribute(self._meter, "aria-valuenow", str(round(100 * share(calibration))))
