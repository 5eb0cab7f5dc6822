"""``make install`` where neither pipx nor uv is: the command as a link in the user's own folder."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "mktemp", "sed", "rm", "mkdir", "ln")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with the programs that the script needs, and nothing else."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def _install(home: Path, tools: Path, *, on_path: bool = False) -> subprocess.CompletedProcess[str]:
    path = f"{tools}:{home / '.local/bin'}" if on_path else str(tools)
    return subprocess.run(
        ["sh", "docker/install-command.sh", sys.executable],
        cwd=ROOT,
        env={"HOME": str(home), "PATH": path, "VENV": sys.prefix, "TMPDIR": str(home)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_the_link_runs_from_anywhere_and_is_made_anew(tmp_path: Path, tools: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    first = _install(home, tools)
    assert first.returncode == 0, first.stderr
    assert "is not on your PATH" in first.stdout
    again = _install(home, tools, on_path=True)
    assert again.returncode == 0, again.stderr
    assert "Try: neuroplayer --help" in again.stdout
    command = home / ".local/bin/neuroplayer"
    done = subprocess.run(
        [str(command), "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.stdout.startswith("neuroplayer, version ")
    assert [path.name for path in home.iterdir()] == [".local"], "nothing is left lying about"


def test_a_program_of_that_name_is_not_written_over(tmp_path: Path, tools: Path) -> None:
    home = tmp_path / "home"
    command = home / ".local/bin/neuroplayer"
    command.parent.mkdir(parents=True)
    command.write_text("somebody's own")
    refused = _install(home, tools)
    assert refused.returncode == 2
    assert str(command) in refused.stderr
    assert command.read_text() == "somebody's own"


def test_every_target_of_make_is_made_in_one_way() -> None:
    makefile = (Path(__file__).resolve().parents[2] / "Makefile").read_text("utf-8")
    targets = re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE)
    assert len(targets) == len(set(targets))
