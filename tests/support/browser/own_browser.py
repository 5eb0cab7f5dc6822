"""A program that stands for the person's own browser."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


class Browser:
    """A program that the environment names as the browser: it writes down what it was given."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, then: str = "") -> None:
        self._told, script = folder / "told.txt", folder / "browser"
        words = [
            f"#!{sys.executable}",
            "import os, sys, time",
            f"with open({str(self._told)!r}, 'a') as file:",
        ]
        words += ["    print(os.getpid(), *sys.argv[1:], file=file)", then, ""]
        script.write_text("\n".join(words))
        script.chmod(0o700)
        monkeypatch.setenv("BROWSER", f"{script} %s")

    @property
    def told(self) -> list[tuple[int, str]]:
        """Process and address of each start."""
        lines = self._told.read_text().splitlines() if self._told.exists() else []
        return [(int(line.split()[0]), line.split()[1]) for line in lines]
