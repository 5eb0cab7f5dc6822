"""Which language a viewer reads: what they chose, else the first that their browser asks for and we speak."""

from __future__ import annotations

from daemon.web.texts import DEFAULT

LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español"}
"""Each by its own name."""
COOKIE = "neuroplayer_language"
MAX_HEADER = 400


def language_of(chosen: str | None, accepted: str) -> str:
    """``chosen`` is the cookie's value, ``accepted`` the browser's ``Accept-Language``: only hints, both."""
    if chosen in LANGUAGES:
        return str(chosen)
    wishes = [_weighted(place, part) for place, part in enumerate(accepted[:MAX_HEADER].split(","))]
    spoken = sorted(wish for wish in wishes if wish[2] in LANGUAGES and wish[0] < 0)
    return spoken[0][2] if spoken else DEFAULT


def _weighted(place: int, part: str) -> tuple[float, int, str]:
    """Sorts by weight (``q``), then by place."""
    name, _, more = part.strip().partition(";")
    weight = more.strip().removeprefix("q=") if more else "1"
    try:
        share = float(weight)
    except ValueError:
        share = 0.0
    return (-share if 0 <= share <= 1 else 0.0), place, name.strip().lower().split("-")[0]
