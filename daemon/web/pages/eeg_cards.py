"""The live EEG and its spectrum, for a browser on the machine itself."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from daemon.web.charts.head_chart import eeg_options, spectrum_options, spectrum_series
from daemon.web.state.eeg_feed import KEPT_S, EegSlice, ShownSpectrum
from daemon.web.viewer import Viewer, attribute, button, named, script_json, swap_class, tag, words

SCALES_UV = (25, 50, 100, 200)
PUSH_S = 0.25


class EegCards:
    """Two cards; what is new goes to the browser four times a second, the spectrum once."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer, self._eeg = viewer, viewer.hub.eeg
        self._number, self._cursor = -1, 0
        self._spectrum: ShownSpectrum | None = None
        self._scale = [50]
        self._build()
        viewer.on_theme(self._begin_anew)
        self._eeg.open()
        viewer.client.on_delete(self._eeg.leave)
        ui.timer(PUSH_S, self._push)

    def _build(self) -> None:
        viewer, texts = self._viewer, self._viewer.texts
        with tag("section", "card"):
            with tag("div", "row-line between"):
                words("h2", "card-title", texts("fit.eeg"))
                _scale_choice(viewer, self._scale)
            self._about = words("p", "muted small", texts("fit.eeg_waiting"))
            self._traces = ui.echart(eeg_options(None, viewer.colours, texts)).classes("eeg-chart")
            named(self._traces, role="img", aria_label=texts("fit.eeg_label"))
        with tag("section", "card"):
            words("h2", "card-title", texts("fit.spectrum"))
            words("p", "muted small", texts("fit.spectrum_detail"))
            self._power = ui.echart(spectrum_options(None, None, viewer.colours, texts)).classes(
                "spectrum-chart"
            )
            named(self._power, role="img", aria_label=texts("fit.spectrum_label"))

    def _begin_anew(self) -> None:
        self._number, self._cursor = -1, 0
        self._restart()

    def _restart(self) -> None:
        """Another stream or another theme: draw both sheets anew."""
        colours, texts, eeg = self._viewer.colours, self._viewer.texts, self._eeg
        for chart, options in (
            (self._traces, eeg_options(eeg.stream, colours, texts)),
            (self._power, spectrum_options(eeg.stream, eeg.spectrum(), colours, texts)),
        ):
            chart.options.clear()
            chart.options.update(options)
            chart.update()

    def _push(self) -> None:
        eeg, texts = self._eeg, self._viewer.texts
        if not eeg.fresh:
            self._about.text = texts("fit.eeg_waiting")
            return
        piece = eeg.since(self._number, self._cursor)
        if piece is None:
            return
        if piece.stream.number != self._number:
            self._restart()
        self._number, self._cursor = piece.stream.number, piece.cursor
        self._about.text = texts("fit.eeg_detail", device=piece.stream.device)
        ui.run_javascript(f"neuro.eeg({self._traces.id}, {script_json(self._chart_samples(piece))})")
        self._push_spectrum(piece)

    def _chart_samples(self, piece: EegSlice) -> dict[str, Any]:
        stream = piece.stream
        return {
            "number": stream.number,
            "channels": list(stream.channels[: len(piece.tenths)]),
            "rate": stream.rate_hz,
            "seconds": KEPT_S,
            "tenths": piece.tenths,
            "scale": self._scale[0],
        }

    def _push_spectrum(self, piece: EegSlice) -> None:
        spectrum = self._eeg.spectrum()
        if spectrum is not None and spectrum is not self._spectrum:
            self._spectrum = spectrum
            series = spectrum_series(piece.stream, spectrum, self._viewer.colours)
            self._power.run_chart_method("setOption", {"series": series})


def _scale_choice(viewer: Viewer, scale: list[int]) -> None:
    texts = viewer.texts
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
