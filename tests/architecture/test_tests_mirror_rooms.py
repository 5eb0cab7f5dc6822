"""The tests stand where what they test stands, and share their helpers in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
PACKAGES = ("daemon", "acquisition", "inference", "player", "models")
MOST_FILES = 13
FOLDERS = sorted({path.parent for path in TESTS.rglob("*.py")})
DATA = {TESTS / "inference" / "data"}


@pytest.mark.parametrize("package", PACKAGES)
def test_each_folder_of_tests_is_a_room_of_its_package(package: str) -> None:
    folders = [folder for folder in FOLDERS if folder.is_relative_to(TESTS / package) and folder not in DATA]
    unknown = [folder for folder in folders if not (TESTS.parent / folder.relative_to(TESTS)).is_dir()]
    assert unknown == []


def test_no_folder_is_crowded() -> None:
    crowded = {str(folder): n for folder in FOLDERS if (n := len(list(folder.glob("*.py")))) > MOST_FILES}
    assert crowded == {}


def test_helpers_stand_in_support() -> None:
    own = TESTS / "support"
    strays = [
        path
        for path in TESTS.rglob("*.py")
        if not path.name.startswith("test_") and path.name != "conftest.py"
        if not path.is_relative_to(own) and path.parent not in DATA
    ]
    assert strays == []


def test_no_test_looks_into_another_or_bends_the_path() -> None:
    bending = re.compile(r"^(from|import) test_\w+|^sys\.path", re.MULTILINE)
    assert [path for path in TESTS.rglob("*.py") if bending.search(path.read_text("utf-8"))] == []
