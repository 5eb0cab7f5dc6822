"""The house rules that a linter does not know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("daemon", "acquisition", "inference", "player", "models")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
FORBIDDEN_CALLS = {
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
    "yaml.load",
    "marshal.loads",
    "os.system",
    "os.popen",
    "eval",
    "exec",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def _functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _body_lines(function: Function) -> int:
    """Lines of code from the first statement after the docstring to the end."""
    body = function.body
    has_docstring = ast.get_docstring(function) is not None
    statements = body[1:] if has_docstring else body
    if not statements:
        return 0
    end = function.end_lineno or statements[-1].lineno
    return end - statements[0].lineno + 1


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_holds_one_noun(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MAX_FILE_LINES, f"{path.relative_to(ROOT)} has {lines} lines"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_stay_short(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = {f.name: _body_lines(f) for f in _functions(tree) if _body_lines(f) > MAX_FUNCTION_LINES}
    assert not long, f"{path.relative_to(ROOT)}: {long}"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_dangerous_is_called(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not calls & FORBIDDEN_CALLS
    shells = [
        keyword
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "shell"
        and ast.unparse(keyword.value) != "False"
        and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
    ]
    assert not shells, "no shell strings"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_public_things_say_what_they_are(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{path.relative_to(ROOT)} has no docstring"
    undocumented = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not undocumented, f"{path.relative_to(ROOT)}: {undocumented}"


def test_the_locks_name_no_host() -> None:
    for lock in ("requirements.lock", "requirements-run.lock"):
        text = (ROOT / lock).read_text(encoding="utf-8")
        options = [line for line in text.splitlines() if line.startswith("-") or "://" in line]
        assert not options, f"{lock}: {options[:3]}"


def test_docker_is_no_package() -> None:
    assert not (ROOT / "docker" / "__init__.py").exists()
