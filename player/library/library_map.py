"""Draws a library in the valence-arousal plane, as SVG by hand or as PNG through Pillow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from player.choice.targets import NAMED_TARGETS
from player.music import MoodSource, Track

SIZE = 900
MARGIN = 70
LABELLED_TRACKS = 40
TITLE_CHARS = 32
COLOURS: Mapping[MoodSource, str] = {
    "sidecar": "#1b7837",
    "composed": "#1b7837",
    "given": "#1b7837",
    "tag": "#2166ac",
    "folder": "#5aae61",
    "vibenet": "#762a83",
    "analysis": "#b35806",
    "unknown": "#9a9a9a",
}
"""Green and blue: people said so; orange and purple: automatic."""
INK, FRAME, GRID = "#222222", "#888888", "#dddddd"


class MapError(ValueError):
    """The map cannot be written as asked. The message names the rule."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One dot: place in pixels, colour, radius, its label and whether the label is drawn."""

    x: float
    y: float
    colour: str
    radius: float
    label: str
    labelled: bool


def draw_map(tracks: Sequence[Track], out: Path) -> None:
    """Write the map to ``out``, whose ending chooses the format. Raises MapError for another, OSError."""
    suffix = out.suffix.lower()
    if suffix == ".svg":
        out.write_text(as_svg(tracks), encoding="utf-8")
    elif suffix == ".png":
        _write_png(tracks, out)
    else:
        raise MapError(f"the map is written as .svg or .png, not as {out.name!r}")


def marks(tracks: Sequence[Track]) -> list[Mark]:
    """Where each track goes; tracks of unknown valence lie on the middle line."""
    labelled = len(tracks) <= LABELLED_TRACKS
    return [
        Mark(
            *_place(track.mood.valence or 0.0, track.mood.arousal),
            COLOURS[track.mood_source],
            2.5 + 3 * track.mood_confidence,
            track.title[:TITLE_CHARS] + (f" – {track.artist[:TITLE_CHARS]}" if track.artist else ""),
            labelled,
        )
        for track in tracks
    ]


def as_svg(tracks: Sequence[Track]) -> str:
    """The map as one SVG document; every dot carries its title as a tooltip."""
    end = SIZE - MARGIN
    half = SIZE / 2
    side = end - MARGIN
    style = f'font-family="sans-serif" font-size="13" fill="{INK}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" {style}>',
        f'<rect width="{SIZE}" height="{SIZE}" fill="white"/>',
        f'<rect x="{MARGIN}" y="{MARGIN}" width="{side}" height="{side}" fill="none" stroke="{FRAME}"/>',
        f'<path d="M{MARGIN} {half}H{end}M{half} {MARGIN}V{end}" stroke="{GRID}"/>',
    ]
    lines += [
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
        for x, y, anchor, text in _legends(len(tracks))
    ]
    for name, mood in NAMED_TARGETS.items():
        x, y = _place(mood.valence or 0.0, mood.arousal)
        lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="16" fill="none" stroke="{FRAME}"/>')
        lines.append(f'<text x="{x + 20:.1f}" y="{y + 4:.1f}" fill="{FRAME}">{name}</text>')
    for mark in marks(tracks):
        place = f"<title>{escape(mark.label)}</title>"
        lines.append(
            f'<circle cx="{mark.x:.1f}" cy="{mark.y:.1f}" r="{mark.radius:.1f}" '
            f'fill={quoteattr(mark.colour)} fill-opacity="0.75">{place}</circle>'
        )
        if mark.labelled:
            lines.append(f'<text x="{mark.x + 8:.1f}" y="{mark.y - 6:.1f}">{escape(mark.label)}</text>')
    return "\n".join([*lines, "</svg>\n"])


def _write_png(tracks: Sequence[Track], out: Path) -> None:
    # imported here: only this command draws pictures
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (SIZE, SIZE), "white")
    draw = ImageDraw.Draw(image, "RGBA")
    font = ImageFont.load_default(13)
    end, half = SIZE - MARGIN, SIZE / 2
    draw.rectangle((MARGIN, MARGIN, end, end), outline=FRAME)
    draw.line((MARGIN, half, end, half), fill=GRID)
    draw.line((half, MARGIN, half, end), fill=GRID)
    anchors = {"start": "ls", "middle": "ms", "end": "rs"}
    for x, y, anchor, text in _legends(len(tracks)):
        draw.text((x, y), text, fill=INK, font=font, anchor=anchors[anchor])
    for name, mood in NAMED_TARGETS.items():
        x, y = _place(mood.valence or 0.0, mood.arousal)
        draw.circle((x, y), 16, outline=FRAME)
        draw.text((x + 20, y), name, fill=FRAME, font=font, anchor="lm")
    for mark in marks(tracks):
        draw.circle((mark.x, mark.y), mark.radius, fill=mark.colour + "bf")
        if mark.labelled:
            draw.text((mark.x + 8, mark.y - 6), mark.label, fill=INK, font=font, anchor="ls")
    image.save(out)


def _legends(count: int) -> list[tuple[float, float, str, str]]:
    end, half = SIZE - MARGIN, SIZE / 2
    return [
        (
            half,
            30,
            "middle",
            f"{count} tracks: green and blue as people said, orange by analysis, purple by vibenet",
        ),
        (half, MARGIN - 10, "middle", "engaged"),
        (half, end + 20, "middle", "calm"),
        (MARGIN, end + 20, "start", "unpleasant"),
        (end, end + 20, "end", "pleasant"),
    ]


def _place(valence: float, arousal: float) -> tuple[float, float]:
    span = (SIZE - 2 * MARGIN) / 2
    return SIZE / 2 + span * valence, SIZE / 2 - span * arousal
