"""What ``docs/architecture.md`` names exists, its rooms are the rooms, its walks go where the code goes."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from daemon.mqtt import topics

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PACKAGES = ("acquisition", "inference", "player", "models", "daemon")
TOPICS = {value for name, value in vars(topics).items() if name.isupper() and isinstance(value, str)}
TOPICS |= {f"cmd/{name}" for name in topics.COMMANDS}
MAX_FILES = 13
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/[\w.-]+|[\w.-]+\.(?:py|md|toml|json)")
NAMED = re.compile(r"([\w./-]*\.py)?:([A-Za-z_]\w*(?:\.\w+)*)")


def _spans(text: str) -> list[str]:
    """What stands in backquotes outside blocks; a file that was named in full may be named in short."""
    found, full = [], {}
    for span in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        file, colon, name = span.partition(":")
        folder, _, short = file.rpartition("/")
        if folder and short.endswith(".py"):
            full[short] = file
        found.append(full.get(file, file) + colon + name)
    return found


def _paths(text: str) -> list[str]:
    """Every file and folder, those of the picture too."""
    spans = [span.partition(":")[0] for span in _spans(text)]
    drawn = re.findall(rf"\b(?:{'|'.join(PACKAGES)})/[\w/]+(?:\.py)?", "".join(_blocks(text)))
    found = [one for one in [*spans, *drawn] if PATH.fullmatch(one) and one not in TOPICS]
    return [one for one in found if not one.startswith("..")]  # beside the checkout


def _blocks(text: str) -> list[str]:
    return re.findall(r"```\n(.*?)```", text, re.DOTALL)


def _names(text: str) -> list[tuple[str, str]]:
    """Every ``FILE.py:NAME``; a file that is left out is the one named last."""
    file, found = "", []
    for span in _spans(text):
        named = NAMED.fullmatch(span)
        if named is not None:
            file = named[1] or file
            found.append((file, named[2]))
        elif span.endswith(".py"):
            file = span
    return found


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text("utf-8"))


def _defined(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Classes, functions and constants of a module or class by name."""
    found: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = node
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return found


def _has(file: str, name: str) -> bool:
    body = _tree(file).body
    for part in name.split("."):
        node = _defined(body).get(part)
        if node is None:
            return False
        body = node.body if isinstance(node, ast.ClassDef) else []
    return True


@cache
def _mentioned(file: str) -> frozenset[str]:
    """Every name that the file's code uses."""
    found = set()
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found.add(node.name.rpartition(".")[2])
    return frozenset(found)


def _walks() -> dict[str, str]:
    (part,) = re.findall(r"^## Four walks\n(.*?)^## ", PAGE, re.DOTALL | re.MULTILINE)
    heads = re.split(r"^### (.+)\n", part, flags=re.MULTILINE)[1:]
    return dict(zip(heads[::2], heads[1::2], strict=True))


@pytest.mark.parametrize("text", [PAGE, CONTRIBUTING], ids=["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_path_it_names_exists(text: str) -> None:
    paths = _paths(text)
    assert paths
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert not missing, f"not there: {', '.join(missing)}"


def test_every_name_it_names_exists() -> None:
    names = _names(PAGE)
    assert len(names) > 100
    missing = [f"{file}:{name}" for file, name in names if not ((ROOT / file).is_file() and _has(file, name))]
    assert not missing, f"not there: {', '.join(missing)}"


def test_its_rooms_are_the_rooms_and_say_what_they_say() -> None:
    rooms = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("__init__.py")):
            told = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
            line = told.partition("\n")[0].replace("``", "`")
            rooms.append(f"| `{path.parent.relative_to(ROOT)}` | {line} |")
    (table,) = re.findall(r"^\| room \|.*\n.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    wanted = "\n".join(rooms)
    assert table.strip() == wanted, f"the table of rooms in docs/architecture.md must be:\n{wanted}"


def test_no_room_is_crowded() -> None:
    folders = {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    files = {folder: [one for one in folder.glob("*.py") if one.stem != "__init__"] for folder in folders}
    assert {str(folder): len(found) for folder, found in files.items() if len(found) > MAX_FILES} == {}


def test_there_are_four_walks() -> None:
    assert [len(_names(text)) > 10 for text in _walks().values()] == [True] * 4


@pytest.mark.parametrize("walk", _walks())
def test_each_step_of_a_walk_is_taken_by_a_file_named_on_it(walk: str) -> None:
    """A step that no file on the walk mentions any more has gone, or the walk goes another way."""
    names = _names(_walks()[walk])
    files = {path for path in _paths(_walks()[walk]) if path.endswith(".py") and (ROOT / path).is_file()}
    lost = [
        f"{file}:{name}"
        for file, name in names[1:]
        if not any(name.rpartition(".")[2] in _mentioned(one) for one in files)
    ]
    assert not lost, f"no file on this walk mentions: {', '.join(lost)}"
