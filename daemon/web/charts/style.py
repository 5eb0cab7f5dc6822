"""What all charts share."""

from __future__ import annotations

from typing import Any

from daemon.web.palette import Palette

Options = dict[str, Any]
FONT = "Roboto, system-ui, sans-serif"


def base(colours: Palette) -> Options:
    """Text in the page's font and colour; no animation but where a chart asks for it."""
    return {
        "animation": False,
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": FONT, "color": colours.muted, "fontSize": 12},
        "aria": {"enabled": False},
    }


def axis(colours: Palette, **more: Any) -> Options:
    """An axis with quiet lines."""
    return {
        "axisLine": {"lineStyle": {"color": colours.line}},
        "axisTick": {"show": False},
        "axisLabel": {"color": colours.muted, "fontFamily": FONT},
        "splitLine": {"lineStyle": {"color": colours.line}},
        "nameTextStyle": {"color": colours.muted, "fontFamily": FONT},
        **more,
    }


def tooltip(colours: Palette, **more: Any) -> Options:
    """A tooltip drawn as text by the browser, so that no name can become markup."""
    return {
        "renderMode": "richText",
        "confine": True,
        "backgroundColor": colours.card,
        "borderColor": colours.edge,
        "textStyle": {"color": colours.ink, "fontFamily": FONT, "fontSize": 13},
        **more,
    }


def readable(colours: Palette) -> Options:
    """Text over areas and lines: in ink, with a rim of the card's own colour."""
    return {"color": colours.ink, "fontFamily": FONT, "textBorderColor": colours.card, "textBorderWidth": 3}


def faded(colour: str, share: float) -> str:
    """``#rrggbb`` with an opacity, as ``rgba``."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:.3f})"
