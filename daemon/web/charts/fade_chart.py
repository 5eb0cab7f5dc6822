"""A crossfade as it happens: the equal-power curves of the two tracks and where it stands between them."""

from __future__ import annotations

import math

from daemon.web.charts.style import Options, base, faded
from daemon.web.palette import Palette

STEPS = 24


def fade_options(share: float, colours: Palette) -> Options:
    """``share`` 0..1 of the crossfade is over: cos falls, sin rises (equal power)."""
    places = [step / STEPS for step in range(STEPS + 1)]
    out = [[place, round(math.cos(place * math.pi / 2), 4)] for place in places]
    into = [[place, round(math.sin(place * math.pi / 2), 4)] for place in places]
    hidden = {"type": "value", "min": 0, "max": 1, "show": False}
    return {
        **base(colours),
        "grid": {"left": 0, "right": 0, "top": 2, "bottom": 0},
        "xAxis": dict(hidden),
        "yAxis": dict(hidden),
        "series": [
            _wedge("out", out, colours.muted),
            _wedge("into", into, colours.music),
            {
                "id": "now",
                "type": "line",
                "symbol": "none",
                "silent": True,
                "lineStyle": {"color": colours.ink, "width": 2},
                "data": [[share, 0], [share, 1]],
            },
        ],
    }


def _wedge(name: str, data: list[list[float]], colour: str) -> Options:
    return {
        "id": name,
        "type": "line",
        "symbol": "none",
        "silent": True,
        "lineStyle": {"color": colour, "width": 1.5},
        "areaStyle": {"color": faded(colour, 0.25)},
        "data": data,
    }
