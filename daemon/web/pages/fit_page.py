"""The fit page: the head, what helps, the guided rest, and the live EEG on the machine itself."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from daemon import messages
from daemon.web.charts.head_chart import (
    eeg_options,
    electrode_series,
    head_options,
    spectrum_options,
    spectrum_series,
)
from daemon.web.eeg_feed import KEPT_S, Piece
from daemon.web.fit_view import MAX_ELECTRODES, FitView, fit_view, rest_view
from daemon.web.frame import frame
from daemon.web.viewer import Viewer, attribute, button, named, swap_class, tag, words

SCALES_UV = (25, 50, 100, 200)
PUSH_S = 0.25
SHOWN_ROWS = 32


def fit_page(viewer: Viewer) -> None:
    """Build the page."""
    texts = viewer.hub.texts
    with frame(viewer, "fit"):
        words("h1", "visually-hidden", texts("nav.fit"))
        with tag("div", "fit"):
            with tag("div", "stack"):
                with tag("section", "card"):
                    _head_card(viewer)
                with tag("section", "card"):
                    rest_card(viewer)
            with tag("div", "stack"):
                with tag("section", "card"):
                    _advice_card(viewer)
                if viewer.on_this_machine:
                    _eeg_cards(viewer)
                else:
                    with tag("section", "card"):
                        words("h2", "card-title", texts("fit.eeg"))
                        words("p", "empty", texts("fit.eeg_elsewhere"))


def _head_card(viewer: Viewer) -> None:
    hub, texts = viewer.hub, viewer.hub.texts
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
    hub, texts = viewer.hub, viewer.hub.texts
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
    texts = viewer.hub.texts
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
    hub, texts = viewer.hub, viewer.hub.texts
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
            lambda: viewer.send("recalibrate", messages.RecalibrateCommand(), texts("rest.asked")),
            classes="primary",
        )
        start = button(
            texts("rest.start"),
            lambda: viewer.send("session", messages.SessionCommand(action="start")),
            classes="primary",
        )
        stop = button(
            texts("rest.stop"),
            lambda: viewer.send("session", messages.SessionCommand(action="stop")),
            classes="plain",
        )

    def show() -> None:
        rest = rest_view(hub.state, texts)
        swap_class(told, rest.phase == "done", "rest-done")
        clock.text, detail.text = rest.headline, rest.detail
        if bar.style.get("width") != f"{100 * rest.share:.1f}%":
            bar.style(f"width:{100 * rest.share:.1f}%")
        attribute(meter, "aria-valuenow", str(round(100 * rest.share)))
        anew.set_visibility(rest.phase in ("done", "resting"))
        start.set_visibility(rest.phase == "stopped")
        stop.set_visibility(rest.phase in ("done", "resting"))

    viewer.each_tick(show)


def _eeg_cards(viewer: Viewer) -> None:
    texts = viewer.hub.texts
    scale = [50]
    with tag("section", "card"):
        with tag("div", "row-line between"):
            words("h2", "card-title", texts("fit.eeg"))
            _scale_choice(viewer, scale)
        about = words("p", "muted small", texts("fit.eeg_waiting"))
        traces = ui.echart(eeg_options(None, viewer.colours, texts)).classes("eeg-chart")
        named(traces, role="img", aria_label=texts("fit.eeg_label"))
    with tag("section", "card"):
        words("h2", "card-title", texts("fit.spectrum"))
        words("p", "muted small", texts("fit.spectrum_detail"))
        power = ui.echart(spectrum_options(None, None, viewer.colours, texts)).classes("spectrum-chart")
        named(power, role="img", aria_label=texts("fit.spectrum_label"))
    _feed(viewer, about, traces, power, scale)


def _scale_choice(viewer: Viewer, scale: list[int]) -> None:
    texts = viewer.hub.texts
    choices: dict[int, ui.button] = {}

    def show() -> None:
        for value, choice in choices.items():
            swap_class(choice, value == scale[0], "on")
            attribute(choice, "aria-pressed", "true" if value == scale[0] else "false")

    def choose(value: int) -> Any:
        def act() -> None:
            scale[0] = value
            show()

        return act

    with named(tag("div", "chips"), role="group", aria_label=texts("fit.scale")):
        for value in SCALES_UV:
            choices[value] = button(f"±{value} µV", choose(value), classes="small-btn plain")
    show()


def _feed(viewer: Viewer, about: Any, traces: ui.echart, power: ui.echart, scale: list[int]) -> None:
    """Send the browser what is new, four times a second, and the spectrum when it changed."""
    _hub, texts, eeg = viewer.hub, viewer.hub.texts, viewer.hub.eeg
    at: dict[str, Any] = {"number": -1, "cursor": 0, "spectrum": None}

    def restart() -> None:
        traces.options.clear()
        traces.options.update(eeg_options(eeg.stream, viewer.colours, texts))
        traces.update()
        power.options.clear()
        power.options.update(spectrum_options(eeg.stream, eeg.spectrum(), viewer.colours, texts))
        power.update()

    def push() -> None:
        piece = eeg.since(at["number"], at["cursor"]) if eeg.fresh else None
        if piece is None:
            if not eeg.fresh:
                about.text = texts("fit.eeg_waiting")
            return
        stream = piece.stream
        if stream.number != at["number"]:
            restart()
        at.update(number=stream.number, cursor=piece.cursor)
        about.text = texts("fit.eeg_detail", device=stream.device)
        ui.run_javascript(f"neuro.eeg({traces.id}, {_json(_told(piece, scale[0]))})")
        spectrum = eeg.spectrum()
        if spectrum is not None and spectrum is not at["spectrum"]:
            at["spectrum"] = spectrum
            series = spectrum_series(stream, spectrum, viewer.colours)
            power.run_chart_method("setOption", {"series": series})

    def theme_changed() -> None:
        at.update(number=-1, cursor=0)
        restart()

    viewer.on_theme(theme_changed)
    eeg.open()
    viewer.client.on_delete(eeg.leave)
    ui.timer(PUSH_S, push)


def _told(piece: Piece, scale_uv: int) -> dict[str, Any]:
    stream = piece.stream
    return {
        "number": stream.number,
        "channels": list(stream.channels[: len(piece.tenths)]),
        "rate": stream.rate_hz,
        "seconds": KEPT_S,
        "tenths": piece.tenths,
        "scale": scale_uv,
    }


def _json(value: object) -> str:
    """JSON that may stand in a script: ``<`` and the two line ends that JavaScript knows are escaped."""
    import msgspec

    text = msgspec.json.encode(value).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
