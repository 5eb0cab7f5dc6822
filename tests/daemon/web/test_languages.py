"""German and Spanish beside English: every text exists, says the same values, and is chosen by the viewer."""

from __future__ import annotations

import json
import re
import string
from importlib import resources
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.web.texts import texts
from daemon.web.texts.languages import LANGUAGES, language_of
from daemon.web.views.reason_view import why
from player.choice.policies import RULES
from player.choice.reason_words import ENGLISH
from player.music import Mood, ReasonNote, WearerCode
from support.browser import talker as say

OTHERS = [language for language in LANGUAGES if language != "en"]
SAME = frozenset(
    {
        "app.name", "app.title", "app.recording", "health.more", "mood.confidence_value", "music.endless",
        "feel.v3", "fit.spectrum_axis", "fit.hertz", "history.mood_neutral", "calibrate.step_fit",
        "policy.contrast", "grade.fair", "why.music_one", "app.date", "app.date_seconds", "music.pause",
    }
)  # fmt: skip
"""What may read alike in two languages: names, signs and a few words that they share."""


def written(language: str) -> dict[str, str]:
    """What stands in the file itself, without the English that stands in."""
    file = resources.files("daemon.web.texts") / f"{language}.json"
    nested = json.loads(file.read_text(encoding="utf-8"))
    return {f"{part}.{name}": text for part, words in nested.items() for name, text in words.items()}


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_exists_in_every_language(language: str) -> None:
    own = written(language)
    assert set(own) == set(texts("en").keys)
    assert {key for key, text in own.items() if not text.strip()} == set()


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_has_the_places_of_the_english_one(language: str) -> None:
    english = texts("en")
    wrong = {key for key, text in written(language).items() if places(text) != places(english(key))}
    assert wrong == set()


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_was_left_in_english(language: str) -> None:
    english = texts("en")
    alike = {key for key, text in written(language).items() if text == english(key)}
    assert alike - SAME == set()


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("policy", list(RULES))
@pytest.mark.parametrize("wearer", get_args(WearerCode))
def test_every_reason_is_told_in_every_language(language: str, policy: str, wearer: str) -> None:
    told = texts(language)
    for note in get_args(ReasonNote):
        for target in (None, "relax", "0.5,0.5"):
            reason = say.reason(note=note, wearer=wearer, target=target, valence=0.5, weighed=3, rank=1)
            found = why(say.chosen(reason=reason, policy=policy), "X", Mood(0.2, 0.9), told)
            assert found.sentence
            assert not re.search(r"[{}]", found.whole + "".join(found.more))
            english = why(say.chosen(reason=reason, policy=policy), "X", Mood(0.2, 0.9), texts("en"))
            assert found.sentence != english.sentence
            assert len(found.more) == len(english.more)


def test_the_words_of_reasons_are_the_players_own() -> None:
    english = texts("en")
    assert {key for key in english.keys if key.startswith("why.")} == {f"why.{key}" for key in ENGLISH}


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "fr,es;q=0.4,de;q=0.5", "de"),
        (None, "fr-FR", "en"),
        (None, "ES", "es"),
        (None, "de;q=0, es;q=0.1", "es"),
        (None, "de;q=many,es;q=nan", "en"),
        ("es", "de", "es"),
        ("../de", "de", "de"),
        ("xx", "fr", "en"),
    ],
)
def test_the_language_is_the_viewers(chosen: str | None, accepted: str, language: str) -> None:
    assert language_of(chosen, accepted) == language


@given(st.text(), st.text())
def test_any_header_gives_a_language(chosen: str, accepted: str) -> None:
    assert language_of(chosen, accepted) in LANGUAGES
