"""Public docstrings say what a signature does not: the shapes of arrays, and what is raised."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("acquisition", "inference", "player", "models", "daemon")
LENGTH = r"(?:n|m|n_\w+|\*\w+_shape|\w*length|taps|phases|\d[\w ]*)(?: ?[-+*/] ?\w+)*|\.\.\.|at most \S+"
SHAPE = re.compile(rf"\((?:{LENGTH}),(?: (?:{LENGTH}),?)*\)|\(same shape")
RAISES_SHARE = 0.84

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _trees() -> dict[Path, ast.Module]:
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def _arrays(trees: dict[Path, ast.Module]) -> set[str]:
    """``NDArray`` and every name that a module gives to one."""
    names = {"NDArray", "ndarray"}
    for tree in trees.values():
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = node.value.value if isinstance(node.value, ast.Subscript) else None
                if isinstance(value, ast.Name) and value.id == "NDArray":
                    names.add(node.targets[0].id)
    return names


def _mentions(annotation: ast.expr | None, names: set[str]) -> bool:
    if annotation is None:
        return False
    found = (
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(annotation)
        if isinstance(node, ast.Name | ast.Attribute)
    )
    return not names.isdisjoint(found)


def _public(tree: ast.Module) -> Iterator[tuple[str, ast.ClassDef | Function]]:
    """Classes and functions that are not private, with methods of such classes."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node.name, node
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(inner, Function) and (
                    inner.name == "__call__" or not inner.name.startswith("_")
                ):
                    yield f"{node.name}.{inner.name}", inner


def _has_arrays(node: ast.ClassDef | Function, names: set[str]) -> bool:
    if isinstance(node, ast.ClassDef):
        fields = [
            one for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        ]
        return any(not one.target.id.startswith("_") and _mentions(one.annotation, names) for one in fields)  # type: ignore[union-attr]
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return _mentions(node.returns, names) or any(_mentions(one.annotation, names) for one in given)


def _told(node: ast.ClassDef | Function) -> str:
    """The docstring, and for a class what stands under its fields."""
    texts = [ast.get_docstring(node) or ""]
    if isinstance(node, ast.ClassDef):
        texts += [
            one.value.value
            for one in node.body
            if isinstance(one, ast.Expr)
            and isinstance(one.value, ast.Constant)
            and isinstance(one.value.value, str)
        ]
    return " ".join(" ".join(texts).split())


def test_every_public_docstring_about_arrays_says_their_shapes() -> None:
    trees = _trees()
    names = _arrays(trees)
    assert {"FloatArray", "PcmBlock", "Floats"} <= names
    silent, seen = [], 0
    for path, tree in trees.items():
        for name, node in _public(tree):
            if _told(node) and _has_arrays(node, names):
                seen += 1
                if not SHAPE.search(_told(node)):
                    silent.append(f"{path}:{node.lineno} {name}")
    assert seen > 150
    assert not silent, f"{len(silent)} of {seen} say no shape: " + "\n".join(silent)


def test_public_functions_that_raise_say_so() -> None:
    raising, silent = 0, []
    for path, tree in _trees().items():
        for name, node in _public(tree):
            if isinstance(node, ast.ClassDef) or not ast.get_docstring(node):
                continue
            if any(isinstance(one, ast.Raise) and one.exc is not None for one in ast.walk(node)):
                raising += 1
                if "raise" not in _told(node).lower():
                    silent.append(f"{path}:{node.lineno} {name}")
    share = 1 - len(silent) / raising
    assert share >= RAISES_SHARE, f"{share:.3f} of {raising}:\n" + "\n".join(silent)
