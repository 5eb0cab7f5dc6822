"""The doctor names what is wrong and how to mend it, and never falls ill."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import places
from daemon.cli import main
from daemon.diagnosis import doctor
from daemon.diagnosis.doctor import Finding, examine
from daemon.settings import Settings


def _by(what: str, findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.what == what]


def test_every_part_is_looked_at_and_what_is_bad_can_be_mended() -> None:
    findings = list(examine())
    names = {finding.what for finding in findings}
    wanted = {"configuration", "python", "libraries", "libVLC", "sound", "serial", "bluetooth", "broker"}
    assert wanted | {"models", "clock", "state folder", "cache folder"} <= names
    assert all(finding.mend for finding in findings if finding.level == "bad")
    assert _by("python", findings)[0].level == "good"
    assert _by("models", findings)[0].level == "good"
    assert not [finding for finding in findings if "could not be checked" in finding.text]


def test_a_missing_broker_and_a_broken_configuration_are_named(free_port: int) -> None:
    path = places.config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[mqtt]\nbroker = "mqtt://127.0.0.1:{free_port}"\n')
    (broker,) = _by("broker", list(examine()))
    assert (broker.level, "refused" in broker.text) == ("bad", True)
    assert "is it running" in broker.mend
    path.write_text("volum = 1\nnod = 2\n")
    assert len(_by("configuration", list(examine()))) == 2


def test_the_speaking_program_is_missed_only_where_cues_are_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (doctor._cues,))
    monkeypatch.setenv("PATH", "")
    assert not _by("cues", list(examine()))
    monkeypatch.setenv("NEUROPLAYER_SOUND_CUES", "voice")
    (found,) = _by("cues", list(examine()))
    assert (found.level, found.mend) == ("note", "apt install espeak-ng")


def test_a_damaged_network_is_named(tmp_path: Path) -> None:
    import shutil

    shipped = Path(__file__).resolve().parents[3] / "models" / "pretrained"
    target = places.state_dir() / "models"
    shutil.copytree(shipped, target)
    damaged = next(iter(sorted(target.rglob("*.tflite"))))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    found = _by("models", list(examine()))
    assert any(finding.level == "bad" and damaged.name.split(".")[0] in finding.text for finding in found)


def test_a_listening_broker_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        path = places.config_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'[mqtt]\nbroker = "mqtt://127.0.0.1:{server.getsockname()[1]}"\n')
        (broker,) = _by("broker", list(examine()))
    assert broker.level == "good"


def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Settings) -> Iterator[Finding]:
        raise RuntimeError("ouch")
        yield

    monkeypatch.setattr(doctor, "CHECKS", (broken,))
    assert "ouch" in list(examine())[-1].text


def test_the_command_is_for_people_and_scripts(capfd: pytest.CaptureFixture[str]) -> None:
    path = places.config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("volum = 1\n")
    assert main(["doctor"]) == 1
    assert "did you mean music.volume?" in capfd.readouterr().out
    path.unlink()
    main(["doctor", "--json"])
    assert {finding["what"] for finding in json.loads(capfd.readouterr().out)} >= {"python", "models"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "_NEUROPLAYER_COMPLETE" in capfd.readouterr().out


def test_completion_completes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from daemon.cli import main; main([])"],
        env=os.environ
        | {"_NEUROPLAYER_COMPLETE": "bash_complete", "COMP_WORDS": "neuroplayer do", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "plain,doctor" in done.stdout.splitlines()
