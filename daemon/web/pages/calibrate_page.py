"""The calibration: from a good fit over a rest to the wearer's own words, one step at a time."""

from __future__ import annotations

from nicegui import ui

from daemon.web.fit_view import fit_view
from daemon.web.frame import frame
from daemon.web.pages.feel_card import feel_card
from daemon.web.pages.fit_page import rest_card
from daemon.web.viewer import Viewer, attribute, button, fill, named, swap_class, tag, words

STEPS = ("fit", "rest", "listen", "done")
WANTED = 12
"""Words to ask for: with fewer than some six of each kind no validation on separate trials is possible."""


def calibrate_page(viewer: Viewer) -> None:
    """Build the page."""
    texts = viewer.hub.texts
    with frame(viewer, "calibrate"), tag("div", "stack narrow"):
        with tag("div"):
            words("h1", "page-title", texts("calibrate.heading"))
            words("p", "page-hint", texts("calibrate.intro"))
        _Wizard(viewer).build()


class _Wizard:
    """Four steps, of which one is shown."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer, self._step = viewer, 0

    def build(self) -> None:
        texts = self._viewer.hub.texts
        self._marks = []
        with tag("ol", "steps"):
            for name in STEPS:
                self._marks.append(words("li", "", texts(f"calibrate.step_{name}")))
        builders = (self._fit, self._rest, self._listen, self._done)
        self._cards = []
        for build in builders:
            with tag("section", "card") as card:
                build()
            self._cards.append(card)
        with tag("div", "row-line between"):
            self._back = button(texts("calibrate.back"), lambda: self._go(-1))
            self._next = button(texts("calibrate.next"), lambda: self._go(1), classes="primary wizard-next")
        self._go(0)

    def _go(self, by: int) -> None:
        self._step = max(0, min(len(STEPS) - 1, self._step + by))
        for number, (mark, card) in enumerate(zip(self._marks, self._cards, strict=True)):
            card.set_visibility(number == self._step)
            swap_class(mark, number < self._step, "done")
            swap_class(mark, number == self._step, "now")
            attribute(mark, "aria-current", "step" if number == self._step else "false")
        self._back.set_visibility(self._step > 0)
        self._next.set_visibility(self._step < len(STEPS) - 1)

    def _fit(self) -> None:
        viewer, texts = self._viewer, self._viewer.hub.texts
        words("h2", "card-title", texts("calibrate.step_fit"))
        headline = words("p", "big-word", "")
        detail = words("p", "muted", "")
        button(texts("calibrate.to_fit"), lambda: ui.navigate.to("/fit"), classes="small-btn").style(
            "margin-top:14px"
        )

        def show() -> None:
            fit = fit_view(viewer.hub.state, texts)
            fine = fit.fresh and all(e.grade in ("good", "fair") for e in fit.electrodes)
            headline.text = fit.headline
            detail.text = texts("calibrate.fit_good" if fine else "calibrate.fit_poor")

        viewer.each_tick(show)

    def _rest(self) -> None:
        words("p", "muted", self._viewer.hub.texts("calibrate.rest_intro")).style("margin-bottom:12px")
        rest_card(self._viewer)

    def _listen(self) -> None:
        viewer, texts = self._viewer, self._viewer.hub.texts
        words("p", "muted", texts("calibrate.listen_intro"))
        playing = words("p", "big-word", "").style("margin:10px 0")
        count = words("p", "numeric", "")
        with tag("div", "meter") as meter:
            named(meter, role="progressbar", aria_valuemin="0", aria_valuemax=str(WANTED))
            bar = tag("div")
        balance = words("p", "muted small", "").style("margin:6px 0 18px")
        feel_card(viewer)

        def show() -> None:
            music, labels = viewer.hub.views()[1], viewer.hub.log.labels
            playing.text = music.track.title if music.track else texts("music.nothing")
            count.text = texts("calibrate.count", count=len(labels), wanted=WANTED)
            good, bad = sum(v > 0 for v in labels), sum(v < 0 for v in labels)
            told = texts("calibrate.balance", good=good, bad=bad)
            enough = len(labels) >= WANTED and min(good, bad) >= 4
            balance.text = f"{told} {texts('calibrate.enough')}" if enough else told
            share = min(1.0, len(labels) / WANTED)
            fill(bar, share)
            attribute(meter, "aria-valuenow", str(min(WANTED, len(labels))))
            attribute(meter, "aria-label", count.text)

        viewer.each_tick(show)

    def _done(self) -> None:
        texts = self._viewer.hub.texts
        words("h2", "card-title", texts("calibrate.step_done"))
        words("p", "", texts("calibrate.done_intro")).style("margin:6px 0 12px")
        words("code", "command", texts("calibrate.command"))
