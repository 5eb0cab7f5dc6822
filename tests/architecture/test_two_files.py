"""A policy, a reader, an output and an MQTT topic each cost two files, and tests name what is missing.

Carried out in a copy of the tree: each is added, checked, and what is still missing is read from the words
of the tests themselves.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("acquisition", "bench", "daemon", "docs", "inference", "models", "player", "tests", "pyproject.toml")
MISSING = "not can_read_of_each and not every_reader_is_asked and not shipped_schemas and not has_its_row"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="needs the source tree"),
]


@dataclass(frozen=True)
class Addition:
    """What is written into which file: a new one whole, or a line before another in one there is."""

    new: dict[str, str]
    lines: dict[str, list[tuple[str, str]]]
    checked: list[str]
    missing: list[str]


ADDITIONS = {
    "policy": Addition(
        new={},
        lines={
            "player/choice/policies.py": [
                (
                    "RULES: Mapping",
                    (
                        "class Stay(Policy):\n"
                        '    """The middle of the plane, whatever the mood."""\n\n'
                        '    words = "the middle is {wanted}"\n\n'
                        "    def aim(self, mood: Mood | None, *, advance: bool) -> Mood:\n"
                        "        return NEUTRAL\n\n\n"
                    ),
                ),
                ('    "manual": Manual,', '    "stay": Stay,\n'),
            ],
            "player/music.py": [],
        },
        checked=["tests/contracts/test_policy_contract.py", "tests/player/choice/test_reasons.py"],
        missing=["docs/music.md does not say what the policy stay does", "daemon.mqtt.schemas docs/mqtt"],
    ),
    "output": Addition(
        new={
            "player/outputs/raw_sink.py": '''"""Writes frames as they are."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from player.deck import PcmBlock
from player.sink import SinkError


class RawSink:
    """A file of 32-bit floats, two channels in turn, begun anew each time."""

    paces = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    @property
    def name(self) -> str:
        return f"raw:{self._path}"

    def open(self) -> None:
        """Raises SinkError."""
        try:
            self._file = self._path.open("wb")
        except OSError as error:
            raise SinkError(f"{self._path}: cannot be written ({error.strerror})") from error

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        """Raises SinkError."""
        if self._file is not None:
            self._file.write(block.tobytes())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None
'''
        },
        lines={
            "player/outputs/output_spec.py": [
                (
                    "def _null(",
                    (
                        "def _raw(path: str) -> Sink:\n"
                        "    from player.outputs.raw_sink import RawSink\n\n"
                        "    if Path(path).exists():\n"
                        '        raise OutputError(f"output {path!r:.200} is there already")\n'
                        "    return RawSink(Path(path))\n\n\n"
                    ),
                ),
                ('    "null": OutputKind', '    "raw": OutputKind("raw:FILE", _raw, file=True),\n'),
            ]
        },
        checked=["tests/contracts/test_sink_contract.py", "tests/player/outputs/test_sinks.py"],
        missing=["run: python -m daemon.configuration.explained docs/configuration.md"],
    ),
    "reader": Addition(
        new={
            "acquisition/readers/tab_text.py": '''"""Text of one electrode: its name and rate, then
one value in microvolts a line.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acquisition.grid.even_grid import lay_evenly
from acquisition.grid.recording import Measured, Recording

MAGIC = "#tab "


def is_tab_text(first_line: str) -> bool:
    """True for its first line."""
    return first_line.startswith(MAGIC)


def read_tab_text(path: Path) -> Recording:
    """Raises ``UnknownSourceError`` and ``ValueError``."""
    first, *rest = path.read_text("utf-8").splitlines()
    name, rate_hz = first.removeprefix(MAGIC).split()
    samples_uv = np.array([[float(value) for value in rest]])
    return lay_evenly(Measured(path, "tab", (name,), (float(rate_hz),), samples_uv))
'''
        },
        lines={
            "acquisition/readers/opening.py": [
                (
                    "        if is_openbci_txt(first):",
                    "        if is_tab_text(first):\n            return read_tab_text(path)\n",
                ),
                (
                    '    with path.open(encoding="utf-8-sig"',
                    "    from acquisition.readers.tab_text import is_tab_text, read_tab_text\n\n",
                ),
            ]
        },
        checked=["tests/contracts/test_reader_contract.py"],
        missing=["acquisition.readers.tab_text.read_tab_text", "no file of WRITERS"],
    ),
    "topic": Addition(
        new={},
        lines={
            "daemon/mqtt/topics.py": [("COMMAND_ERROR = ", 'BREATH = "breath"\n')],
            "daemon/mqtt/documents.py": [
                (
                    "DOCUMENTS: dict",
                    (
                        "class Breath(Document, frozen=True, kw_only=True):\n"
                        '    """How the wearer breathes. Topic ``breath``, retained."""\n\n'
                        "    rate_a_minute: Positive\n\n\n"
                    ),
                ),
                ("    topics.COMMAND_ERROR:", "    topics.BREATH: Breath,\n"),
            ],
        },
        checked=["tests/daemon/mqtt/test_messages.py", "tests/daemon/mqtt/test_mqtt_page.py"],
        missing=["run: python -m daemon.mqtt.schemas docs/mqtt", "breath"],
    ),
}


def _copy(folder: Path) -> None:
    for part in PARTS:
        command = ["cp", "-r", "--parents", part, str(folder)]
        subprocess.run(command, cwd=ROOT, check=True)


def _carried_out(addition: Addition, folder: Path) -> None:
    for name, text in addition.new.items():
        assert not (folder / name).exists()
        (folder / name).write_text(text, "utf-8")
    for name, lines in addition.lines.items():
        path = folder / name
        text = path.read_text("utf-8")
        for before, line in lines:
            assert text.count(f"\n{before}") == 1, (name, before)
            text = text.replace(f"\n{before}", f"\n{line}{before}")
        if name == "player/music.py":  # a name more in the line of them
            text = text.replace('"album"]', '"album", "stay"]')
        path.write_text(text, "utf-8")


def _run(folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def _tests(folder: Path, paths: list[str], only: str) -> tuple[int, str]:
    options = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-m", "not broker and not train"]
    return _run(folder, "pytest", *options, "-k", only, *paths)


@pytest.mark.parametrize("what", ADDITIONS)
def test_it_costs_two_files_and_the_rest_is_named(what: str, tmp_path: Path) -> None:
    addition = ADDITIONS[what]
    touched = [*addition.new, *addition.lines]
    assert len(touched) <= 2
    _copy(tmp_path)
    _carried_out(addition, tmp_path)
    package = touched[0].split("/")[0]
    checks = (("ruff", "check", package), ("ruff", "format", "--check", package), ("mypy", "-p", package))
    for words in checks:
        status, said = _run(tmp_path, *words)
        assert status == 0, said
    status, said = _tests(tmp_path, addition.checked, MISSING)
    assert status == 0, said[-3000:]
    told = _tests(tmp_path, [*addition.checked, "tests/daemon/mqtt/test_messages.py"], f"not ({MISSING})")[1]
    assert [words for words in addition.missing if words not in told] == [], told[-3000:]
