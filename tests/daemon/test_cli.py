"""The command line as a person types it, in a process of its own."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest

from daemon.cli import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_can_be_imported(name: str) -> None:
    module, _, attribute = COMMANDS[name][0].partition(":")
    assert isinstance(getattr(importlib.import_module(module), attribute), click.Command)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--bogus"], "--bogus"),
        (["sing"], "sing"),
        (["run", "--node", "a/b"], "'a/b'"),
        (["run", "--speed", "0"], "0.01 to 1000"),
        (["run", "--source", "brainflow:NOPE"], "NOPE"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("neuroplayer: ")
    assert says in line


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from daemon.cli import main; main(['--help']);"
        "heavy = {'numpy', 'scipy', 'brainflow', 'pylsl', 'vlc', 'av', 'nicegui', 'tensorflow', 'rich'};"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "library" in done.stdout
