"""What the product asks to be installed with it, it imports."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("acquisition", "daemon", "inference", "models", "player")
NEEDED_BY_OTHERS = {"setuptools"}
"""brainflow calls pkg_resources on Python 3.11."""


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported() -> set[str]:
    """The distributions whose modules the product imports, at once or when they are needed."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    names: set[str] = set()
    for node in (node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    known = packages_distributions()
    return {_plain(found) for name in names for found in known.get(name, ())}


def test_every_dependency_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {_plain(re.split(r"[^\w.-]", line)[0]) for line in project["dependencies"]}
    assert asked - _imported() == NEEDED_BY_OTHERS
