"""The colours of the page, light and dark, once for the style sheet and the charts alike.

Every pair of text and ground meets WCAG 2.2 AA (4.5:1), every mark on its ground 3:1; a test computes it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """``ground`` lies behind ``card``; ``ink`` and ``muted`` are text; the rest are marks with a meaning."""

    ground: str
    card: str
    sunken: str
    ink: str
    muted: str
    line: str
    edge: str
    accent: str
    accent_ink: str
    accent_soft: str
    music: str
    target: str
    unknown: str
    good: str
    fair: str
    bad: str
    bad_soft: str
    fair_soft: str
    good_soft: str
    series: tuple[str, ...]


LIGHT = Palette(
    ground="#f3f5f7",
    card="#ffffff",
    sunken="#eef1f4",
    ink="#16202a",
    muted="#53606d",
    line="#dfe4e9",
    edge="#7d8995",
    accent="#0a6c67",
    accent_ink="#ffffff",
    accent_soft="#d8efec",
    music="#8a4b08",
    target="#6a3fb5",
    unknown="#6d7884",
    good="#1a6e3c",
    fair="#8a5a00",
    bad="#b3261e",
    bad_soft="#fbe4e2",
    fair_soft="#fbeed3",
    good_soft="#dcf1e3",
    series=("#0a6c67", "#8a4b08", "#6a3fb5", "#1f5fa8", "#b3261e", "#4d6b12", "#a02c7d", "#53606d"),
)
DARK = Palette(
    ground="#0d1216",
    card="#161d23",
    sunken="#10161b",
    ink="#e9eef2",
    muted="#a4b1bd",
    line="#28323a",
    edge="#74828f",
    accent="#5fd3c6",
    accent_ink="#06211f",
    accent_soft="#143733",
    music="#f0b072",
    target="#bda2f5",
    unknown="#8c99a5",
    good="#7fd49b",
    fair="#f0bf68",
    bad="#ff958c",
    bad_soft="#3d1d1b",
    fair_soft="#3a2c12",
    good_soft="#15331f",
    series=("#5fd3c6", "#f0b072", "#bda2f5", "#84b9f5", "#ff958c", "#b5d46a", "#f09ad2", "#a4b1bd"),
)


def palette(dark: bool) -> Palette:
    """The palette of a theme."""
    return DARK if dark else LIGHT


def css_variables() -> str:
    """Both palettes as custom properties; NiceGUI marks the body of a dark page with ``body--dark``."""
    return f"body{{{_properties(LIGHT)}}}body.body--dark{{{_properties(DARK)}}}"


def _properties(colours: Palette) -> str:
    plain = {name: value for name, value in asdict(colours).items() if isinstance(value, str)}
    return "".join(f"--{name.replace('_', '-')}:{value};" for name, value in plain.items())
