"""A session as one picture, and several compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from daemon.web.charts.history_lane import LANE_TOP, lane_series
from daemon.web.charts.style import FONT, Options, axis, base, faded, tooltip
from daemon.web.palette import Palette
from daemon.web.texts import Texts
from daemon.web.views.history_view import Point, SessionTimeline, marks

LEFT = 62
TWO_DECIMALS = "(value) => typeof value === 'number' ? value.toFixed(2) : '–'"


def history_options(timeline: SessionTimeline, colours: Palette, texts: Texts) -> Options:
    """Mood above, quality and tracks beneath, one time axis, zoom by wheel, fingers and slider."""
    return {
        **base(colours),
        "title": _mark(timeline, colours, texts),
        "legend": _legend(colours, texts, timeline),
        "tooltip": tooltip(
            colours,
            trigger="axis",
            axisPointer={"type": "line", "lineStyle": {"color": colours.edge}},
            # each line has times of its own: what is told is what every one of them says at this moment
            **{":formatter": "(at) => neuro.moment(at)"},
        ),
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "grid": [
            {"left": LEFT, "right": 18, "top": 40, "bottom": 268},
            {"left": LEFT, "right": 18, "bottom": 184, "height": 58},
            {"left": LEFT, "right": 18, "bottom": 82, "height": 72, "tooltip": _reason(colours)},
        ],
        "xAxis": [_time_axis(timeline, colours, row, texts) for row in range(3)],
        "yAxis": [
            _named_axis(texts("history.axis_mood"), colours, gridIndex=0, min=-1, max=1, interval=0.5),
            _named_axis(texts("history.axis_quality"), colours, gridIndex=1, min=0, max=1, interval=0.5),
            axis(colours, type="value", gridIndex=2, min=0, max=LANE_TOP, show=False),
        ],
        "dataZoom": [{"type": "inside", "xAxisIndex": [0, 1, 2], "filterMode": "none"}, _slider(colours)],
        "series": _series(timeline, colours, texts),
    }


def _mark(timeline: SessionTimeline, colours: Palette, texts: Texts) -> Options:
    """In the picture itself, and so in its PNG: that nobody was there, or not then."""
    words = [texts(f"app.{mark}") for mark in marks(timeline.simulated, timeline.replayed).split()]
    return {
        "text": " · ".join(words),
        "show": bool(words),
        "right": 18,
        "top": 4,
        "textStyle": {"color": colours.fair, "fontFamily": FONT, "fontSize": 13},
    }


def _reason(colours: Palette) -> Options:
    """In the lane one thing is told about, not all that lies at that time."""
    return {"trigger": "item", "axisPointer": {"show": False}, ":formatter": "(one) => neuro.reason(one)"}


def _named_axis(name: str, colours: Palette, **more: Any) -> Options:
    return axis(colours, type="value", name=name, nameLocation="middle", nameGap=44, **more)


def _time_axis(timeline: SessionTimeline, colours: Palette, row: int, texts: Texts) -> Options:
    label = {"show": row == 2, "color": colours.muted, "fontFamily": FONT, "hideOverlap": True}
    return axis(
        colours,
        type="time",
        gridIndex=row,
        min=1000 * timeline.start_s,
        max=1000 * max(timeline.end_s, timeline.start_s + 10),
        axisLabel=label,
        splitLine={"show": False},
        **({"name": texts("history.axis_time"), "nameLocation": "middle", "nameGap": 28} if row == 2 else {}),
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


def _legend(colours: Palette, texts: Texts, timeline: SessionTimeline) -> Options:
    names = ["arousal", "quality", "tracks"]
    names += ["valence"] if any(value is not None for _, value in timeline.valence) else []
    names += ["labels"] if timeline.labels else []
    names += ["decisions"] if timeline.decisions else []
    return {
        "top": 4,
        "left": LEFT - 4,
        "itemGap": 18,
        "data": [texts(f"history.{name}") for name in names],
        "textStyle": {"color": colours.ink, "fontFamily": FONT},
        "type": "scroll",
        "pageIconColor": colours.accent,
        "pageTextStyle": {"color": colours.muted},
    }


def _series(timeline: SessionTimeline, colours: Palette, texts: Texts) -> list[Options]:
    lines = [
        _line("arousal", texts("history.arousal"), timeline.arousal, colours.accent, 0)
        | {"markArea": _areas(timeline, colours, texts)},
        _line("valence", texts("history.valence"), timeline.valence, colours.target, 0),
        _line("quality", texts("history.quality"), timeline.quality, colours.good, 1)
        | {"areaStyle": {"color": faded(colours.good, 0.18)}, "step": "end"},
    ]
    return [
        *lines,
        _labels(timeline, colours, texts),
        *lane_series(timeline, colours, texts),
    ]


def _line(own_id: str, name: str, points: Sequence[Point], colour: str, row: int) -> Options:
    return {
        "id": own_id,
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


def _areas(timeline: SessionTimeline, colours: Palette, texts: Texts) -> Options:
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


def _labels(timeline: SessionTimeline, colours: Palette, texts: Texts) -> Options:
    return {
        "id": "labels",
        "name": texts("history.labels"),
        "type": "scatter",
        "symbol": "pin",
        "symbolSize": 26,
        "itemStyle": {"color": colours.music},
        "z": 6,
        "data": [[1000 * at_s, arousal] for at_s, arousal, _ in timeline.labels if arousal is not None],
    }


def compare_options(
    sessions: Sequence[tuple[str, SessionTimeline]], colours: Palette, texts: Texts
) -> Options:
    """Arousal of several sessions over the minutes since each began."""
    return {
        **base(colours),
        "legend": {
            "type": "scroll",
            "top": 4,
            "left": LEFT - 4,
            "textStyle": {"color": colours.ink, "fontFamily": FONT},
            "pageIconColor": colours.accent,
            "pageTextStyle": {"color": colours.muted},
        },
        "tooltip": tooltip(colours, trigger="axis", **{":valueFormatter": TWO_DECIMALS}),
        "grid": {"left": LEFT, "right": 18, "top": 40, "bottom": 52},
        "xAxis": axis(
            colours,
            type="value",
            min=0,
            name=texts("history.minutes"),
            nameLocation="middle",
            nameGap=30,
            axisLine={"onZero": False, "lineStyle": {"color": colours.line}},
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
