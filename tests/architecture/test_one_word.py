"""One word, one meaning: names follow the field, and no name is given twice."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("daemon", "acquisition", "inference", "player", "models")

BANNED_FUNCTIONS = re.compile(r"_?(hear|say|tell|obey)(_\w+)?|_?(keep|take|heard|told|says|mind|wish)")
"""Instead: on_message, on_state, publish, notify, handle_command, retain, push, add: what it really does."""
OF_PYTHON = {
    ("player/reading/sound_view.py", "tell"),
    ("player/library/sources/servers/remote_file.py", "tell"),
}
"""A method of the language's own file protocol."""

BANNED_CLASSES = re.compile(r"_?(Engine|Voice|Ear|\w*Ears?|Mind|Wish\w*|Cue\w*)")
"""The engine is the EEG role, a voice is speech, a cue is a place in a track."""
REPLAYED_ENGINE = "_Engine"  # the recorded role: an engine in the one sense of the word

SAME_NAME = {
    "Decision": "what the player decides, and the document that carries it on MQTT",
    "Estimate": "what the pipeline estimates, and the document that carries it on MQTT",
    "LabelEncoder": "the class of another library that old files name, and ours",
}


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def test_functions_are_called_by_the_fields_words() -> None:
    wrong = [
        f"{file}:{node.lineno} {node.name}"
        for file, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and BANNED_FUNCTIONS.fullmatch(node.name)
        and (file, node.name) not in OF_PYTHON
    ]
    assert not wrong, f"say what it does: {', '.join(wrong)}"


def test_classes_are_called_by_the_fields_words() -> None:
    wrong = [
        f"{file}:{node.lineno} {node.name}"
        for file, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and BANNED_CLASSES.fullmatch(node.name)
        and node.name != REPLAYED_ENGINE
    ]
    assert not wrong, f"a word with another meaning: {', '.join(wrong)}"


def test_no_two_classes_share_a_name() -> None:
    where: dict[str, list[str]] = defaultdict(list)
    for file, tree in _trees():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].append(file)
    twice = {name: files for name, files in where.items() if len(files) > 1}
    assert set(twice) - set(SAME_NAME) == set(), twice
    assert set(SAME_NAME) <= set(twice), "an exception that is none any more"


def test_the_glossary_names_each_noun_once() -> None:
    words = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("## The words", 1)[1]
    rows = [line.split("|")[1] for line in words.splitlines() if line.startswith("| ")][1:]
    nouns = [noun.strip() for row in rows for noun in re.split(r"[,(]", row.replace(")", ""))]
    assert len(nouns) > 50
    assert {noun: n for noun, n in Counter(nouns).items() if n > 1} == {}
