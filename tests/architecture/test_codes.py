"""No code tells two things apart by the English of another part: codes and types travel, not sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("acquisition", "daemon", "inference", "models", "player")
WORDS = re.compile(r"[A-Za-z']{2,}[,:]? [A-Za-z']{2,}")
"""Two words in a row: a sentence, or a part of one."""
SEARCHES = {"startswith", "endswith", "removeprefix", "removesuffix", "find", "index", "count"}
CUTS = {"partition", "rpartition", "split", "rsplit", "replace"}
PATTERNS = {"match", "search", "fullmatch", "findall"}

ALLOWED = {
    # stderr of other people's libraries, which has no codes
    ("daemon/processes/supervisor.py", "INFO: Created TensorFlow Lite"),
    ("daemon/processes/supervisor.py", "Failed to create secure directory"),
    ("daemon/processes/supervisor.py", "Failed to get home directory"),
    # words that formats prescribe
    ("player/library/sources/xml_lists.py", "http://www.w3.org/XML/1998/namespace base"),
    ("acquisition/readers/edf_records.py", "EDF Annotations"),
    ("acquisition/readers/edf_records.py", "BDF Annotations"),
    ("acquisition/readers/openbci_txt.py", "Number of channels\\s*=\\s*(\\d+)"),
    # how the interpreter begins the report of a crash
    ("player/children/last_words.py", "Fatal Python error"),
}


def _texts(node: ast.AST, names: dict[str, list[str]]) -> list[str]:
    """The text constants an operand stands for, by itself or by a name of the module."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.Name):
        return names.get(node.id, [])
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return names.get(f"{node.value.id}.{node.attr}", [])
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return [text for part in node.elts for text in _texts(part, names)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value for part in node.values if isinstance(part, ast.Constant))]
    if isinstance(node, ast.Dict):
        return [text for key in node.keys if key is not None for text in _texts(key, names)]
    return []


def _is_said(node: ast.AST) -> bool:
    """``str(error)``: the words of an exception."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "str"
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Name)
        and re.search("error|exc|refusal", node.args[0].id) is not None
    )


def _operands(tree: ast.AST) -> Iterator[tuple[ast.AST, list[ast.expr]]]:
    """What is compared or searched for, and what is looked up in a table."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield node, [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            yield node, [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in SEARCHES | PATTERNS:
                yield node, [node.func.value, *node.args]
            elif node.func.attr in CUTS:
                yield node, node.args
            elif node.func.attr == "get" and isinstance(node.func.value, ast.Name):
                yield node, [node.func.value, *node.args[:1]]


def _own_names(tree: ast.Module) -> dict[str, list[str]]:
    """Every text constant that a module gives a name."""
    return {
        target.id: _texts(node.value, {})
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _names(path: str, trees: dict[str, ast.Module]) -> dict[str, list[str]]:
    """Its own, and those of other modules of ours by the name under which they are known here."""
    found = _own_names(trees[path])
    for node in ast.walk(trees[path]):
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            known, origin = alias.asname or alias.name, (node.module or "").replace(".", "/")  # type: ignore[union-attr]
            if f"{origin}.py" in trees:
                found.setdefault(known, _own_names(trees[f"{origin}.py"]).get(alias.name, []))
            if f"{origin}/{alias.name}.py" in trees:
                others = _own_names(trees[f"{origin}/{alias.name}.py"])
                found |= {f"{known}.{name}": texts for name, texts in others.items()}
    return found


def comparisons(trees: dict[str, ast.Module]) -> list[tuple[str, int, str]]:
    """File, line and words of each place where a sentence decides what happens."""
    found: list[tuple[str, int, str]] = []
    for path, tree in trees.items():
        names = _names(path, trees)
        for node, operands in _operands(tree):
            said = ["the words of an exception"] if any(_is_said(part) for part in operands) else []
            texts = [text for part in operands for text in _texts(part, names) if WORDS.search(text)]
            found += [(path, getattr(node, "lineno", 0), text) for text in said + texts]
    return found


def _trees() -> dict[str, ast.Module]:
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in paths}


def test_no_code_compares_the_english_of_another_part() -> None:
    found = [place for place in comparisons(_trees()) if (place[0], place[2]) not in ALLOWED]
    assert not found, found


@pytest.mark.parametrize(
    "code",
    [
        'if str(error).startswith("must"): pass',
        'if text.startswith(("must", "can be")): pass',
        'LATE_NOTE = "this machine is too busy"\nif LATE_NOTE in notes: pass',
        "if str(error) == NO_ANSWER: pass",
        'match cause:\n    case "taken over": pass',
        'why = text.split(" goes on ")',
        'NO_ANSWER = "Operation timed out"\nif said == NO_ANSWER: pass',
        '_PLAIN = {"Disconnected during message": "x"}\nwhy = _PLAIN.get(said)',
        'note = "" if text.endswith("goes on") else text',
        're.search("is paused", text)',
        'unfit = text.removeprefix(f"source: LSL stream {name!r} ")',
    ],
)
def test_the_test_sees_such_code(code: str) -> None:
    assert comparisons({"x.py": ast.parse(code)})


@pytest.mark.parametrize(
    "code",
    [
        "from daemon.mqtt import documents\nif documents.LATE_NOTE in notes: pass",
        "from daemon.mqtt.documents import LATE_NOTE as L\nif L in notes: pass",
    ],
)
def test_the_test_sees_a_sentence_of_another_module(code: str) -> None:
    told = ast.parse('LATE_NOTE = "this machine is too busy"')
    assert comparisons({"x.py": ast.parse(code), "daemon/mqtt/documents.py": told})
