"""Every word is in one file and used; every colour can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import daemon.web as web
from daemon.web.palette import DARK, LIGHT, Palette, css_variables
from daemon.web.texts import TextError, Texts, texts

SOURCES = [
    path.read_text(encoding="utf-8")
    for path in Path(web.__file__).parent.rglob("*.py")
    if "texts" not in path.parts
]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two ``#rrggbb`` colours by WCAG 2.2, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_an_unknown_text_is_an_error(words: Texts) -> None:
    with pytest.raises(TextError, match=r"no\.such"):
        words("no.such")


def test_another_language_falls_back_to_english() -> None:
    assert texts("xx")("nav.session") == texts("en")("nav.session")
    assert texts("../../etc/passwd")("nav.session") == "Session"


def test_a_translation_may_be_partial() -> None:
    half = Texts({"nav.session": "Sitzung"}, {"nav.session": "Session", "nav.fit": "Fit"})
    assert half("nav.session") == "Sitzung"
    assert half("nav.fit") == "Fit"


def test_every_text_asked_for_exists(words: Texts) -> None:
    asked = {key for source in SOURCES for key in re.findall(r'texts\(\s*"([a-z_]+\.[a-z0-9_]+)"', source)}
    assert len(asked) > 80
    assert {key for key in asked if not words.has(key)} == set()


def test_no_text_is_left_over(words: Texts) -> None:
    """A key is used whole, or its part is put together from data (``mood.is_{emotion}``)."""
    whole = "\n".join(SOURCES)
    made = set(re.findall(r'f"([a-z_]+\.[a-z0-9_]*)\{', whole))
    quoted = set(re.findall(r"""["']([a-z_]+\.[a-z0-9_]+)["']""", whole))
    unused = {key for key in words.keys if key not in quoted and not key.startswith(tuple(made))}
    assert unused == set()


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_meets_wcag_aa(colours: Palette) -> None:
    for ground in (colours.card, colours.ground, colours.sunken):
        for ink in (colours.ink, colours.muted, colours.accent, colours.good, colours.fair, colours.bad):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    assert contrast(colours.accent_ink, colours.accent) >= 4.5
    for ink, soft in (
        (colours.accent, colours.accent_soft),
        (colours.bad, colours.bad_soft),
        (colours.fair, colours.fair_soft),
        (colours.good, colours.good_soft),
    ):
        assert contrast(ink, soft) >= 4.5, (ink, soft)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_marks_meet_wcag_aa(colours: Palette) -> None:
    for mark in (colours.music, colours.target, colours.unknown, colours.edge, *colours.series):
        assert contrast(mark, colours.card) >= 3, mark
    for grade in (colours.good, colours.fair, colours.bad, colours.unknown):
        assert contrast(colours.card, grade) >= 4.4, grade


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_both_palettes_reach_the_style_sheet() -> None:
    css = css_variables()
    assert f"--accent-soft:{LIGHT.accent_soft}" in css
    assert f"body.body--dark{{--ground:{DARK.ground}" in css
    used = set(re.findall(r"var\(--([a-z-]+)", (Path(web.__file__).parent / "static/app.css").read_text()))
    own = {"radius", "gap", "hue"}
    assert {name for name in used - own if f"--{name}:" not in css} == set()
