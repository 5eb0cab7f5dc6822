"""The library as points of the plane."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.web.charts.plane_chart import edge_words
from daemon.web.charts.style import Options, axis, base, faded, tooltip
from daemon.web.palette import Palette
from daemon.web.state.track_library import MapTrack
from daemon.web.texts import Texts

MAX_POINTS = 4000


def library_options(
    tracks: Sequence[MapTrack],
    playing: str | None,
    colours: Palette,
    texts: Texts,
    lit: Sequence[MapTrack] = (),
) -> Options:
    """One point a track; filled where people stated its mood, hollow where analysis did. ``lit``: found."""
    value_axis = axis(
        colours,
        type="value",
        min=-1.05,
        max=1.05,
        interval=0.5,
        axisLabel={"show": False},
        splitLine={"show": False},
        axisLine={"show": True, "onZero": True, "lineStyle": {"color": colours.line}},
    )
    few = len(tracks) <= 400
    return {
        **base(colours),
        "grid": {"left": 30, "right": 30, "top": 30, "bottom": 30, "show": True, "borderColor": colours.line},
        "xAxis": dict(value_axis),
        "yAxis": dict(value_axis),
        "tooltip": tooltip(colours, trigger="item", formatter="{b}"),
        "graphic": edge_words(colours, texts),
        "dataZoom": [
            {"type": "inside", "xAxisIndex": 0, "filterMode": "none"},
            {"type": "inside", "yAxisIndex": 0, "filterMode": "none"},
        ],
        "series": [
            _points("stated", [t for t in tracks if t.stated], colours, few, filled=True),
            _points("analysed", [t for t in tracks if not t.stated], colours, few, filled=False),
            _lit(lit, colours),
            _playing([t for t in tracks if t.id == playing], colours),
        ],
    }


def _points(name: str, tracks: Sequence[MapTrack], colours: Palette, few: bool, *, filled: bool) -> Options:
    style = (
        {"color": faded(colours.accent, 0.8)}
        if filled
        else {"color": faded(colours.music, 0.12), "borderColor": colours.music, "borderWidth": 1.5}
    )
    return {
        "id": name,
        "type": "scatter",
        "symbolSize": 16 if few else 8,
        "itemStyle": style,
        "emphasis": {"scale": 1.5},
        "data": [_point(track) for track in tracks],
        "z": 3,
    }


def _lit(tracks: Sequence[MapTrack], colours: Palette) -> Options:
    return {
        "id": "found",
        "type": "scatter",
        "symbolSize": 18,
        "z": 5,
        "itemStyle": {"color": colours.target, "borderColor": colours.card, "borderWidth": 2},
        "data": [_point(track) for track in tracks],
    }


def _playing(tracks: Sequence[MapTrack], colours: Palette) -> Options:
    return {
        "id": "playing",
        "type": "scatter",
        "symbol": "circle",
        "symbolSize": 30,
        "silent": True,
        "z": 4,
        "itemStyle": {"color": "transparent", "borderColor": colours.target, "borderWidth": 3},
        "data": [[track.valence or 0.0, track.arousal] for track in tracks],
    }


def _point(track: MapTrack) -> Options:
    name = f"{track.title} – {track.artist}" if track.artist else track.title
    return {
        "name": name.replace("{", "(").replace("}", ")"),
        "value": [track.valence or 0.0, track.arousal, track.id],
    }
