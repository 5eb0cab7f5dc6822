"""The valence-arousal plane: the wearer with trail and uncertainty, the music, and the target."""

from __future__ import annotations

from typing import Any

from daemon.web.charts.style import FONT, Options, axis, base, faded, readable
from daemon.web.palette import Palette
from daemon.web.state.live_state import TrailPoint
from daemon.web.texts import Texts
from daemon.web.views.mood_view import MoodView
from daemon.web.views.music_view import MusicView

CURSOR = "path://M-10,0 L10,0 M0,-10 L0,10"


def plane_options(
    mood: MoodView,
    music: MusicView,
    now_s: float,
    named: dict[str, tuple[float, float]],
    colours: Palette,
    texts: Texts,
) -> Options:
    """The whole chart, for its first drawing and when the theme changes."""
    value_axis = axis(
        colours,
        type="value",
        min=-1,
        max=1,
        interval=0.5,
        axisLabel={"show": False},
        splitLine={"lineStyle": {"color": colours.line, "width": 1}},
        axisLine={"show": True, "onZero": True, "lineStyle": {"color": colours.edge, "width": 1}},
    )
    return {
        **base(colours),
        "grid": {"left": 30, "right": 30, "top": 30, "bottom": 30, "show": True, "borderColor": colours.line},
        "xAxis": dict(value_axis),
        "yAxis": dict(value_axis),
        "graphic": edge_words(colours, texts),
        "series": plane_series(mood, music, now_s, named, colours, texts),
    }


def edge_words(colours: Palette, texts: Texts) -> list[Options]:
    """What the four sides of the plane mean."""

    def word(key: str, **place: Any) -> Options:
        style = {"text": texts(key), "fill": colours.muted, "font": f"500 13px {FONT}"}
        return {"type": "text", "silent": True, "style": style, **place}

    return [
        word("plane.engaged", left="center", top=8),
        word("plane.calm", left="center", bottom=8),
        word("plane.unpleasant", left=14, top="middle", rotation=1.5708, originX=0, originY=0),
        word("plane.pleasant", right=14, top="middle", rotation=-1.5708, originX=0, originY=0),
    ]


def plane_series(
    mood: MoodView,
    music: MusicView,
    now_s: float,
    named: dict[str, tuple[float, float]],
    colours: Palette,
    texts: Texts,
) -> list[Options]:
    """All series by id, so that an update moves what is there."""
    return [
        _veil(mood, colours, texts),
        _uncertainty(mood, colours),
        _named(named, colours, texts),
        _trail(mood, now_s, colours),
        _music(music, colours),
        _target(music, colours),
        _you(mood, colours, texts),
        {
            "id": "cursor",
            "type": "scatter",
            "symbol": CURSOR,
            "symbolSize": 26,
            "itemStyle": {"color": "transparent", "borderColor": colours.target, "borderWidth": 2},
            "data": [],
            "silent": True,
            "z": 9,
        },
    ]


def _veil(mood: MoodView, colours: Palette, texts: Texts) -> Options:
    """The honest grey over all of the plane while nothing is known."""
    area = [[{"coord": [-1, 1]}, {"coord": [1, -1]}]] if not mood.known else []
    return {
        "id": "veil",
        "type": "scatter",
        "data": [],
        "silent": True,
        "z": 1,
        "markArea": {
            "silent": True,
            "data": area,
            "itemStyle": {"color": faded(colours.unknown, 0.13)},
            "label": {
                "show": True,
                "position": "insideTopLeft",
                "distance": 12,
                "formatter": texts("plane.unknown"),
                **readable(colours),
                "fontSize": 15,
                "fontWeight": 500,
            },
        },
    }


def _uncertainty(mood: MoodView, colours: Palette) -> Options:
    row = [mood.valence or 0.0, mood.arousal or 0.0, mood.spread_valence, mood.spread_arousal]
    return {
        "id": "uncertainty",
        "type": "custom",
        ":renderItem": "(params, api) => neuro.uncertainty(params, api)",
        "itemStyle": {"color": faded(colours.accent, 0.2)},
        "data": [[*row, 0 if mood.valence is None else 1]] if mood.known else [],
        "silent": True,
        "z": 2,
    }


def _named(named: dict[str, tuple[float, float]], colours: Palette, texts: Texts) -> Options:
    """The places that have a name, faintly."""
    return {
        "id": "named",
        "type": "scatter",
        "symbol": "circle",
        "symbolSize": 9,
        "silent": True,
        "z": 3,
        "itemStyle": {"color": "transparent", "borderColor": colours.edge, "borderWidth": 1.5},
        "label": {
            "show": True,
            "position": "right",
            "distance": 11,
            "formatter": "{b}",
            **readable(colours),
            "fontSize": 12,
        },
        "data": [{"name": texts(f"target.{name}"), "value": list(point)} for name, point in named.items()],
    }


def _trail(mood: MoodView, now_s: float, colours: Palette) -> Options:
    """Where the wearer was in the last two minutes, fading; on the middle line while valence is unknown."""
    colour = colours.accent if mood.known else colours.unknown
    return {
        "id": "trail",
        "type": "line",
        "silent": True,
        "z": 4,
        "smooth": 0.3,
        "lineStyle": {"color": faded(colour, 0.35), "width": 2},
        "symbol": "circle",
        "symbolSize": 7,
        "data": [
            {
                "value": [_across(point), point.arousal],
                "itemStyle": {"color": faded(colour, max(0.08, 0.6 * (1 - (now_s - point.at_s) / 120)))},
            }
            for point in mood.trail
        ],
    }


def _across(point: TrailPoint) -> float:
    return 0.0 if point.valence is None else point.valence


def _you(mood: MoodView, colours: Palette, texts: Texts) -> Options:
    """The wearer: a point, on a line across the plane while valence is unknown; hollow where last known."""
    series: Options = {
        "id": "you",
        "type": "scatter",
        # the only thing that glides: moving everything would cost a tablet half a core
        "animation": True,
        "animationDuration": 0,
        "animationDurationUpdate": 250,
        "symbol": "circle",
        "silent": True,
        "z": 8,
        "markLine": {"silent": True, "symbol": "none", "animation": False, "data": []},
        "data": [],
    }
    if mood.known and mood.arousal is not None:
        series["symbolSize"] = 24
        series["itemStyle"] = {
            "color": colours.accent,
            "borderColor": colours.card,
            "borderWidth": 3,
            "opacity": 1,
        }
        series["data"] = [[mood.valence if mood.valence is not None else 0.0, mood.arousal]]
        if mood.valence is None:
            series["markLine"] |= {
                "data": [{"yAxis": mood.arousal}],
                "lineStyle": {"color": colours.accent, "width": 2, "type": "solid"},
                "label": {
                    "show": True,
                    "position": "insideStartTop",
                    "formatter": texts("plane.valence_unknown"),
                    **readable(colours),
                },
            }
    elif mood.last is not None:
        series["symbolSize"] = 20
        series["itemStyle"] = {"color": "transparent", "borderColor": colours.unknown, "borderWidth": 3}
        series["data"] = [[_across(mood.last), mood.last.arousal]]
    return series


def _music(music: MusicView, colours: Palette) -> Options:
    """The track that sounds, full, and the next one, hollow."""
    data = []
    if music.next is not None:
        hollow = {"color": "transparent", "borderColor": colours.music, "borderWidth": 2, "opacity": 1}
        data.append({"value": [music.next.valence or 0.0, music.next.arousal], "itemStyle": hollow})
    if music.track is not None:
        full = {"color": colours.music, "borderColor": colours.card, "borderWidth": 2, "opacity": 1}
        data.append({"value": [music.track.valence or 0.0, music.track.arousal], "itemStyle": full})
    return {
        "id": "music",
        "type": "scatter",
        "symbol": "diamond",
        "symbolSize": 19,
        "silent": True,
        "z": 5,
        "data": data,
    }


def _target(music: MusicView, colours: Palette) -> Options:
    """Where the music is to lead; a dashed line where only the arousal was asked for."""
    arousal, valence = music.target_arousal, music.target_valence
    ring = {"color": "transparent", "borderColor": colours.target, "borderWidth": 4, "opacity": 1}
    series: Options = {
        "id": "target",
        "type": "scatter",
        "symbol": "circle",
        "symbolSize": 26,
        "silent": True,
        "z": 7,
        "itemStyle": ring,
        "data": [] if arousal is None or valence is None else [[valence, arousal]],
        "markLine": {"silent": True, "symbol": "none", "animation": False, "data": []},
    }
    if arousal is not None and valence is None:
        series["markLine"] |= {
            "data": [{"yAxis": arousal}],
            "label": {"show": False},
            "lineStyle": {"color": colours.target, "type": "dashed", "width": 2},
        }
    return series
