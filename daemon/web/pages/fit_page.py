"""The fit page: the head, what helps, the guided rest, and the live EEG on the machine itself."""

from __future__ import annotations

from nicegui import ui

from daemon.mqtt import commands
from daemon.web.charts.head_chart import electrode_series, head_options
from daemon.web.pages.eeg_cards import EegCards
from daemon.web.pages.frame import frame
from daemon.web.pages.wearer_card import wearer_card
from daemon.web.viewer import Viewer, attribute, button, fill, named, swap_class, tag, words
from daemon.web.views.fit_view import MAX_ELECTRODES, FitView, fit_view, rest_view

SHOWN_ROWS = 32


def fit_page(viewer: Viewer) -> None:
    """Build the page."""
    texts = viewer.texts
    with frame(viewer, "fit"):
        words("h1", "visually-hidden", texts("nav.fit"))
        with tag("div", "fit"):
            with tag("div", "stack"):
                with tag("section", "card"):
                    _head_card(viewer)
                with tag("section", "card"):
                    rest_card(viewer)
                wearer_card(viewer)
            with tag("div", "stack"):
                with tag("section", "card"):
                    _advice_card(viewer)
                if viewer.on_this_machine:
                    EegCards(viewer)
                else:
                    with tag("section", "card"):
                        words("h2", "card-title", texts("fit.eeg"))
                        words("p", "empty", texts("fit.eeg_elsewhere"))


def _head_card(viewer: Viewer) -> None:
    hub, texts = viewer.hub, viewer.texts
    words("h2", "card-title", texts("fit.head"))
    view = fit_view(hub.state, texts)
    chart = ui.echart(head_options(view.electrodes, viewer.colours, texts)).classes("head-chart")
    named(chart, role="img")
    drawn: list[object] = [None]

    def show() -> None:
        fit = fit_view(hub.state, texts)
        good = sum(electrode.grade == "good" for electrode in fit.electrodes)
        attribute(chart, "aria-label", texts("fit.head_label", good=good, all=len(fit.electrodes)))
        picture = ([(e.channel, e.grade) for e in fit.electrodes], viewer.dark)
        if picture != drawn[0]:
            drawn[0] = picture
            chart.run_chart_method(
                "setOption", {"series": [electrode_series(fit.electrodes, viewer.colours)]}
            )

    def redraw() -> None:
        fit = fit_view(hub.state, texts)
        chart.options.update(head_options(fit.electrodes, viewer.colours, texts))
        chart.update()

    viewer.on_theme(redraw)
    viewer.each_tick(show)


def _advice_card(viewer: Viewer) -> None:
    hub, texts = viewer.hub, viewer.texts
    words("h2", "card-title", texts("fit.heading"))
    with named(tag("div"), aria_live="polite"):
        headline = words("p", "big-word", "")
        detail = words("p", "muted", "")
    table = ui.element("div").style("margin-top:10px;overflow-x:auto")
    drawn: list[object] = [None]

    def show() -> None:
        fit = fit_view(hub.state, texts)
        headline.text, detail.text = fit.headline, fit.detail
        rows = tuple((e.channel, e.grade, e.word, e.reason, e.advice) for e in fit.electrodes)
        if rows != drawn[0]:
            drawn[0] = rows
            table.clear()
            with table:
                _electrode_table(viewer, fit)

    viewer.each_tick(show)


def _electrode_table(viewer: Viewer, fit: FitView) -> None:
    texts = viewer.texts
    if not fit.electrodes:
        return
    with tag("table", "plain"):
        with tag("thead"), tag("tr"):
            for key in ("electrode", "contact", "reason", "advice"):
                named(words("th", "", texts(f"fit.{key}")), scope="col")
        with tag("tbody"):
            for electrode in fit.electrodes[: min(SHOWN_ROWS, MAX_ELECTRODES)]:
                with tag("tr"):
                    words("td", "numeric", electrode.channel)
                    with tag("td"):
                        words("span", f"dot {electrode.grade}", electrode.word)
                    words("td", "", electrode.reason or "–")
                    words("td", "", electrode.advice or "–")


def rest_card(viewer: Viewer) -> None:
    """The guided rest with its countdown and a clear end."""
    hub, texts = viewer.hub, viewer.texts
    words("h2", "card-title", texts("rest.heading"))
    with named(tag("div"), aria_live="polite") as told:
        clock = words("p", "rest-clock", "")
        detail = words("p", "muted", "")
    with named(tag("div", "meter"), role="progressbar", aria_valuemin="0", aria_valuemax="100") as meter:
        named(meter, aria_label=texts("rest.progress")).style("margin-top:12px")
        bar = tag("div")
    with tag("div", "row-line").style("margin-top:16px"):
        anew = button(
            texts("rest.begin"),
            lambda: viewer.send("recalibrate", commands.RecalibrateCommand(), texts("rest.asked")),
            classes="primary",
        )
        start = button(
            texts("rest.start"),
            lambda: viewer.send("session", commands.SessionCommand(action="start")),
            classes="primary",
        )
        stop = button(
            texts("rest.stop"),
            lambda: viewer.send("session", commands.SessionCommand(action="stop")),
            classes="plain",
        )

    def show() -> None:
        rest = rest_view(hub.state, texts)
        swap_class(told, rest.phase == "done", "rest-done")
        clock.text, detail.text = rest.headline, rest.detail
        fill(bar, rest.share)
        attribute(meter, "aria-valuenow", str(round(100 * rest.share)))
        anew.set_visibility(rest.phase in ("done", "resting"))
        start.set_visibility(rest.phase == "stopped")
        stop.set_visibility(rest.phase in ("done", "resting"))

    viewer.each_tick(show)
