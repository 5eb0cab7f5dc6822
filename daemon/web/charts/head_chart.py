"""The head with its electrodes, and the charts of the live EEG."""

from __future__ import annotations

import math
from collections.abc import Sequence

from daemon.web.charts.style import FONT, Options, axis, base
from daemon.web.palette import Palette
from daemon.web.state.eeg_feed import KEPT_S, ShownSpectrum, ShownStream
from daemon.web.texts import Texts
from daemon.web.views.fit_view import ElectrodeView, Grade

SYMBOLS: dict[Grade, str] = {"good": "circle", "fair": "rect", "bad": "triangle", "unknown": "circle"}
"""Shapes beside colours, for those who see no colours."""


def head_options(electrodes: Sequence[ElectrodeView], colours: Palette, texts: Texts) -> Options:
    """Head from above, nose up."""
    # equal spans both ways, or the head would not be round; room below for electrodes without a place
    reach = 1.35 if any(electrode.y < -1.1 for electrode in electrodes) else 1.25
    hidden = {"type": "value", "min": -reach, "max": reach, "show": False}
    return {
        **base(colours),
        "grid": {"left": 4, "right": 4, "top": 4, "bottom": 4},
        "xAxis": dict(hidden),
        "yAxis": {**hidden, "min": 1.33 - 2 * reach, "max": 1.33},
        "series": [*_outline(colours), electrode_series(electrodes, colours)],
        "graphic": [
            {
                "type": "text",
                "left": "center",
                "top": 3,
                "style": {"text": texts("fit.front"), "fill": colours.muted, "font": f"12px {FONT}"},
            }
        ],
    }


def _outline(colours: Palette) -> list[Options]:
    circle = [(math.sin(a), math.cos(a)) for a in (math.tau * step / 72 for step in range(73))]
    nose = [(-0.13, 0.99), (-0.04, 1.13), (0.04, 1.13), (0.13, 0.99)]
    left = [(-1.0, 0.2), (-1.08, 0.22), (-1.12, 0.08), (-1.11, -0.12), (-1.06, -0.24), (-0.98, -0.2)]
    right = [(-x, y) for x, y in left]
    return [
        {
            "type": "line",
            "data": [list(point) for point in points],
            "symbol": "none",
            "silent": True,
            "smooth": points is not circle,
            "lineStyle": {"color": colours.edge, "width": 2.5},
            "z": 1,
        }
        for points in (circle, nose, left, right)
    ]


def electrode_series(electrodes: Sequence[ElectrodeView], colours: Palette) -> Options:
    """The electrodes, coloured and shaped by grade."""
    shades = {"good": colours.good, "fair": colours.fair, "bad": colours.bad, "unknown": colours.unknown}
    size = 44 if len(electrodes) <= 10 else 32 if len(electrodes) <= 24 else 22
    return {
        "id": "electrodes",
        "type": "scatter",
        "silent": True,
        "z": 3,
        "label": {
            "show": True,
            "formatter": "{b}",
            "color": colours.card,
            "fontFamily": FONT,
            "fontWeight": 600,
            "fontSize": 12 if size == 44 else 10,
        },
        "data": [
            {
                "name": electrode.channel,
                "value": [electrode.x, electrode.y],
                "symbol": SYMBOLS[electrode.grade],
                "symbolSize": size * (1.2 if electrode.grade == "bad" else 1.0),
                "itemStyle": {"color": shades[electrode.grade], "opacity": 1},
                "label": {"offset": [0, 6] if electrode.grade == "bad" else [0, 0]},
            }
            for electrode in electrodes
        ],
    }


def eeg_options(stream: ShownStream | None, colours: Palette, texts: Texts) -> Options:
    """An empty sheet for the traces, which the browser fills by itself."""
    channels = stream.channels if stream else ()
    return {
        **base(colours),
        "grid": {"left": 52, "right": 12, "top": 8, "bottom": 28},
        "xAxis": axis(colours, type="value", min=-KEPT_S, max=0, interval=1, axisLabel=_seconds(colours)),
        "yAxis": axis(
            colours,
            type="value",
            axisLabel={"color": colours.ink, "fontFamily": FONT, "fontWeight": 500},
            splitLine={"show": False},
            axisLine={"show": False},
        ),
        "series": [
            {
                "id": f"eeg{number}",
                "type": "line",
                "symbol": "none",
                "silent": True,
                "data": [],
                "lineStyle": {"width": 1.1, "color": colours.series[number % len(colours.series)]},
            }
            for number in range(len(channels))
        ],
    }


def _seconds(colours: Palette) -> Options:
    return {"color": colours.muted, "fontFamily": FONT, "formatter": "{value} s"}


def spectrum_options(
    stream: ShownStream | None, spectrum: ShownSpectrum | None, colours: Palette, texts: Texts
) -> Options:
    """Power over frequency, one line an electrode, the bands of the EEG behind."""
    return {
        **base(colours),
        "grid": {"left": 52, "right": 16, "top": 26, "bottom": 34},
        "legend": {"show": False},
        "xAxis": axis(
            colours,
            type="value",
            min=0,
            max=45,
            interval=5,
            axisLabel={"color": colours.muted, "fontFamily": FONT, "formatter": "{value}"},
            name=texts("fit.hertz"),
            nameLocation="end",
            nameGap=4,
            splitLine={"show": False},
        ),
        "yAxis": axis(
            colours,
            type="value",
            scale=True,
            name=texts("fit.spectrum_axis"),
            nameLocation="middle",
            nameGap=36,
        ),
        "series": spectrum_series(stream, spectrum, colours),
    }


BANDS = (("δ", 1, 4), ("θ", 4, 8), ("α", 8, 13), ("β", 13, 30), ("γ", 30, 45))


def spectrum_series(
    stream: ShownStream | None, spectrum: ShownSpectrum | None, colours: Palette
) -> list[Options]:
    """The lines; the first carries the names of the bands."""
    channels = stream.channels if stream else ()
    rows = spectrum.power_db if spectrum else []
    series: list[Options] = []
    for number, name in enumerate(channels[: len(rows) or len(channels)]):
        power = rows[number] if number < len(rows) else []
        points = zip(spectrum.frequencies_hz, power, strict=False) if spectrum else ()
        series.append(
            {
                "id": f"power{number}",
                "name": name,
                "type": "line",
                "symbol": "none",
                "silent": True,
                "data": [list(point) for point in points],
                "lineStyle": {"width": 1.6, "color": colours.series[number % len(colours.series)]},
            }
        )
    if series:
        series[0]["markArea"] = _bands(colours)
    return series


def _bands(colours: Palette) -> Options:
    data = []
    for number, (name, low, high) in enumerate(BANDS):
        shade = colours.sunken if number % 2 == 0 else "transparent"
        label = {"show": True, "position": "top", "color": colours.muted, "fontFamily": FONT}
        data.append(
            [{"name": name, "xAxis": low, "itemStyle": {"color": shade}, "label": label}, {"xAxis": high}]
        )
    return {"silent": True, "data": data}
