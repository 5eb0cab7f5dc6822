"""``neuroplayer library`` looks where the session plays from."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest
from click.testing import CliRunner

from daemon.commands.library import library
from daemon.errors import BadInputError


def folder_with(folder: Path, name: str) -> Path:
    folder.mkdir()
    with wave.open(str(folder / name), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes(b"\x00\x10" * 22_050)
    return folder


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    mine = folder_with(tmp_path / "mine", "my own.wav")
    config = tmp_path / "config.toml"
    config.write_text(f"[music]\nfolders = [{json.dumps(str(mine))}]\n")
    monkeypatch.setenv("NEUROPLAYER_CONFIG", str(config))
    for name in ("CACHE", "STATE"):
        monkeypatch.setenv(f"NEUROPLAYER_{name}_DIR", str(tmp_path / name.lower()))
    return tmp_path


def titles(*options: str) -> list[str]:
    done = CliRunner().invoke(library, ["scan", "--json", *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(library, ["list", "--json", *options], catch_exceptions=False)
    return [row["title"] for row in json.loads(done.output)]


@pytest.mark.usefixtures("configured")
def test_before_the_first_scan_it_is_said_what_to_do() -> None:
    assert "library scan" in CliRunner().invoke(library, ["list"], catch_exceptions=False).output
    assert json.loads(CliRunner().invoke(library, ["list", "--json"], catch_exceptions=False).stdout) == []
    for words in (["show", "x"], ["tag", "x", "calm"]):
        with pytest.raises(BadInputError, match="library scan"):
            CliRunner().invoke(library, words, catch_exceptions=False)


def test_the_configured_folders_are_listed(configured: Path) -> None:
    assert titles() == ["my own"]


def test_a_folder_that_is_named_goes_before_the_configured_ones(configured: Path) -> None:
    other = folder_with(configured / "other", "another.wav")
    assert titles("--music", str(other)) == ["another"]


def test_a_folder_that_is_not_there_is_named(configured: Path) -> None:
    with pytest.raises(BadInputError, match=r"nowhere.*does not exist"):
        CliRunner().invoke(library, ["list", "--music", str(configured / "nowhere")], catch_exceptions=False)
