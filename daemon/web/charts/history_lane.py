"""The lane under the session's picture: tracks as bars, decisions as marks above them, each with its reason.

``static/history.js`` draws the bars, for only the browser knows how much room a name has at the zoom of now.
"""

from __future__ import annotations

from datetime import datetime

from daemon.web.charts.style import Options, faded
from daemon.web.palette import Palette
from daemon.web.texts import Texts
from daemon.web.views.history_view import SessionTimeline, TimeSpan, TrackChoice, why_of

MARK_AT = 1.32
"""Height of the marks; the bars reach from 0 to 1."""
LANE_TOP = 1.65
MAX_MARKS = 200
MAX_BARS = 1000


def lane_series(timeline: SessionTimeline, colours: Palette, texts: Texts) -> list[Options]:
    """Bars and marks; ``head`` and ``why`` of each are what a pointer, a finger or a key brings up."""
    return [_tracks(timeline, colours, texts), _decisions(timeline, colours, texts)]


def _tracks(timeline: SessionTimeline, colours: Palette, texts: Texts) -> Options:
    shades = (faded(colours.music, 0.30), faded(colours.music, 0.16))
    return {
        "id": "tracks",
        "name": texts("history.tracks"),
        "type": "custom",
        "xAxisIndex": 2,
        "yAxisIndex": 2,
        ":renderItem": "(params, api) => neuro.bar(params, api)",
        "encode": {"x": [0, 1], "tooltip": [0]},
        "itemStyle": {"color": colours.music},
        "label": {"show": True, "color": colours.ink, ":formatter": "(one) => one.name"},
        "data": [
            {
                "name": span.name,
                "value": [1000 * span.start_s, 1000 * span.end_s],
                "itemStyle": {"color": shades[number % 2]},
                "head": _bar_head(span),
                "why": why_of(span, timeline.decisions),
            }
            for number, span in enumerate(timeline.tracks[-MAX_BARS:])
        ],
    }


def _bar_head(span: TimeSpan) -> str:
    name = f"{span.name} – {span.detail}" if span.detail else span.name
    return f"{local_time(span.start_s)}  {name}"


def _decisions(timeline: SessionTimeline, colours: Palette, texts: Texts) -> Options:
    """A triangle where the mood changed the music, a small circle for every other choice."""
    return {
        "id": "decisions",
        "name": texts("history.decisions"),
        "type": "scatter",
        "xAxisIndex": 2,
        "yAxisIndex": 2,
        "symbol": "triangle",
        "itemStyle": {"color": colours.target},
        "emphasis": {"scale": 1.6},
        "z": 6,
        "data": [_mark(one, colours, texts) for one in timeline.decisions[-MAX_MARKS:]],
    }


def _mark(one: TrackChoice, colours: Palette, texts: Texts) -> Options:
    for_mood = one.kind == "mood_change"
    return {
        "value": [1000 * one.at_s, MARK_AT],
        "symbol": "triangle" if for_mood else "circle",
        "symbolSize": 13 if for_mood else 9,
        "itemStyle": {"color": colours.target if for_mood else colours.edge},
        "head": f"{local_time(one.at_s)}  {kind_word(one.kind, texts)}",
        "why": one.why,
    }


def kind_word(kind: str, texts: Texts) -> str:
    """What kind of decision it was, in words."""
    key = f"history.kind_{kind}"
    return texts(key) if texts.has(key) else kind


def local_time(at_s: float) -> str:
    """The time of day where the product runs."""
    return f"{datetime.fromtimestamp(at_s):%H:%M:%S}"  # noqa: DTZ006 - the wearer's own clock
