"""A session as one picture, and several compared."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.web.charts.style import FONT, Options, axis, base, faded, tooltip
from daemon.web.history_view import Point, Span, Timeline
from daemon.web.palette import Palette
from daemon.web.texts import Texts


def history_options(timeline: Timeline, colours: Palette, texts: Texts) -> Options:
    """Mood above, quality and tracks beneath, one time axis, zoom by wheel, fingers and slider."""
    return {
        **base(colours),
        "legend": _legend(colours, texts, timeline),
        "tooltip": tooltip(
            colours, trigger="axis", axisPointer={"type": "line", "lineStyle": {"color": colours.edge}}
        ),
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "grid": [
            {"left": 60, "right": 18, "top": 40, "height": "44%"},
            {"left": 60, "right": 18, "top": "58%", "height": "12%"},
            {"left": 60, "right": 18, "top": "75%", "height": 44},
        ],
        "xAxis": [_time_axis(timeline, colours, row) for row in range(3)],
        "yAxis": [
            axis(colours, type="value", gridIndex=0, min=-1, max=1, interval=0.5),
            axis(colours, type="value", gridIndex=1, min=0, max=1, interval=0.5),
            axis(colours, type="value", gridIndex=2, min=0, max=1, show=False),
        ],
        "dataZoom": [{"type": "inside", "xAxisIndex": [0, 1, 2], "filterMode": "none"}, _slider(colours)],
        "series": _series(timeline, colours, texts),
    }


def _time_axis(timeline: Timeline, colours: Palette, row: int) -> Options:
    label = {"show": row == 2, "color": colours.muted, "fontFamily": FONT, "hideOverlap": True}
    return axis(
        colours,
        type="time",
        gridIndex=row,
        min=1000 * timeline.start_s,
        max=1000 * max(timeline.end_s, timeline.start_s + 10),
        axisLabel=label,
        splitLine={"show": False},
    )


def _slider(colours: Palette) -> Options:
    return {
        "type": "slider",
        "xAxisIndex": [0, 1, 2],
        "filterMode": "none",
        "bottom": 6,
        "height": 26,
        "borderColor": colours.line,
        "fillerColor": faded(colours.accent, 0.15),
        "handleStyle": {"color": colours.accent, "borderColor": colours.accent},
        "moveHandleStyle": {"color": colours.edge},
        "textStyle": {"color": colours.muted, "fontFamily": FONT},
        "dataBackground": {"lineStyle": {"color": colours.edge}, "areaStyle": {"color": colours.line}},
    }


def _legend(colours: Palette, texts: Texts, timeline: Timeline) -> Options:
    names = ["arousal", "quality", "tracks"]
    names += ["valence"] if any(value is not None for _, value in timeline.valence) else []
    names += ["labels"] if timeline.labels else []
    names += ["decisions"] if any(span.name == "mood_change" for span in timeline.decisions) else []
    return {
        "top": 4,
        "left": 56,
        "itemGap": 18,
        "data": [texts(f"history.{name}") for name in names],
        "textStyle": {"color": colours.ink, "fontFamily": FONT},
        "type": "scroll",
        "pageIconColor": colours.accent,
        "pageTextStyle": {"color": colours.muted},
    }


def _series(timeline: Timeline, colours: Palette, texts: Texts) -> list[Options]:
    lines = [
        _line(texts("history.arousal"), timeline.arousal, colours.accent, 0)
        | {"markArea": _areas(timeline, colours, texts)},
        _line(texts("history.valence"), timeline.valence, colours.target, 0),
        _line(texts("history.quality"), timeline.quality, colours.good, 1)
        | {"areaStyle": {"color": faded(colours.good, 0.18)}, "step": "end"},
    ]
    return [
        *lines,
        _labels(timeline, colours, texts),
        _decisions(timeline, colours, texts),
        _tracks(timeline, colours, texts),
    ]


def _line(name: str, points: Sequence[Point], colour: str, row: int) -> Options:
    return {
        "name": name,
        "type": "line",
        "xAxisIndex": row,
        "yAxisIndex": row,
        "showSymbol": False,
        "connectNulls": False,
        "itemStyle": {"color": colour},
        "lineStyle": {"color": colour, "width": 2},
        "data": [[1000 * at_s, value] for at_s, value in points],
    }


def _areas(timeline: Timeline, colours: Palette, texts: Texts) -> Options:
    grey = {"color": faded(colours.unknown, 0.14)}
    red = {"color": faded(colours.bad, 0.16)}
    spans = [(span, grey) for span in timeline.unknown] + [(span, red) for span in timeline.gaps]
    return {
        "silent": True,
        "data": [
            [{"xAxis": 1000 * span.start_s, "itemStyle": style}, {"xAxis": 1000 * span.end_s}]
            for span, style in spans
        ],
    }


def _labels(timeline: Timeline, colours: Palette, texts: Texts) -> Options:
    return {
        "name": texts("history.labels"),
        "type": "scatter",
        "symbol": "pin",
        "symbolSize": 26,
        "itemStyle": {"color": colours.music},
        "z": 6,
        "data": [[1000 * at_s, arousal] for at_s, arousal, _ in timeline.labels if arousal is not None],
    }


def _decisions(timeline: Timeline, colours: Palette, texts: Texts) -> Options:
    return {
        "name": texts("history.decisions"),
        "type": "scatter",
        "symbol": "triangle",
        "symbolSize": 13,
        "itemStyle": {"color": colours.target},
        "z": 6,
        "data": [[1000 * span.start_s, -0.94] for span in timeline.decisions if span.name == "mood_change"],
    }


def _tracks(timeline: Timeline, colours: Palette, texts: Texts) -> Options:
    shades = (faded(colours.music, 0.30), faded(colours.music, 0.16))
    data = []
    for number, span in enumerate(timeline.tracks):
        label = {
            "show": True,
            "position": "insideLeft",
            "color": colours.ink,
            "fontFamily": FONT,
            "fontSize": 12,
            "overflow": "truncate",
            "ellipsis": "…",
            "width": _label_width(span, timeline),
            "formatter": "{b}",
        }
        start = {
            "name": _flat(span.name),
            "xAxis": 1000 * span.start_s,
            "itemStyle": {"color": shades[number % 2]},
            "label": label,
        }
        data.append([start, {"xAxis": 1000 * span.end_s}])
    return {
        "name": texts("history.tracks"),
        "type": "line",
        "xAxisIndex": 2,
        "yAxisIndex": 2,
        "itemStyle": {"color": colours.music},
        "data": [],
        "markArea": {"silent": True, "data": data},
    }


def _label_width(span: Span, timeline: Timeline) -> int:
    """Room for the name in the unzoomed picture on a middling screen; too little room shows none."""
    share = (span.end_s - span.start_s) / max(1.0, timeline.end_s - timeline.start_s)
    room = int(900 * share) - 12
    return room if room > 24 else 1


def _flat(name: str) -> str:
    """Braces would be read as places to fill in."""
    return name.replace("{", "(").replace("}", ")")


def compare_options(sessions: Sequence[tuple[str, Timeline]], colours: Palette, texts: Texts) -> Options:
    """Arousal of several sessions over the minutes since each began."""
    return {
        **base(colours),
        "legend": {"top": 4, "left": 56, "textStyle": {"color": colours.ink, "fontFamily": FONT}},
        "tooltip": tooltip(colours, trigger="axis"),
        "grid": {"left": 60, "right": 18, "top": 40, "bottom": 40},
        "xAxis": axis(
            colours,
            type="value",
            min=0,
            name=texts("history.minutes"),
            nameLocation="end",
            nameGap=2,
            splitLine={"show": False},
        ),
        "yAxis": axis(colours, type="value", min=-1, max=1, interval=0.5),
        "dataZoom": [{"type": "inside", "filterMode": "none"}],
        "series": [
            {
                "name": name,
                "type": "line",
                "showSymbol": False,
                "lineStyle": {"width": 2, "type": "solid" if number == 0 else "dashed"},
                "itemStyle": {"color": colours.series[number % len(colours.series)]},
                "data": [[round((at_s - drawn.start_s) / 60, 3), value] for at_s, value in drawn.arousal],
            }
            for number, (name, drawn) in enumerate(sessions)
        ],
    }
