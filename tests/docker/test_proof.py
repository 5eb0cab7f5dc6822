"""What the fresh-machine proof listens with is held against files of a known sound."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from player.outputs.wav_sink import WavSink
from support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
PROOF = ROOT / "docker" / "proof"
RATE_HZ = 48_000


@pytest.fixture
def proof(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Loads a file of the proof, which is a program and no package."""
    monkeypatch.syspath_prepend(str(PROOF))

    def load(name: str, file: str = "") -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, PROOF / f"{file or name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return load


def written(path: Path, gap_s: float) -> None:
    """Two seconds of silence, a second of tone, a gap, a second of tone, and silence again."""
    tone = np.full((2, RATE_HZ), 0.1, np.float32)
    silence, gap = np.zeros((2, 2 * RATE_HZ), np.float32), np.zeros((2, round(gap_s * RATE_HZ)), np.float32)
    sink = WavSink(path)
    sink.open()
    sink.write(np.ascontiguousarray(np.concatenate([silence, tone, gap, tone, silence], axis=1).T))
    sink.close()


@pytest.mark.parametrize("gap_s", [0.0, 0.019, 0.021, 0.5])
def test_a_gap_is_measured_between_the_first_sound_and_the_last(
    tmp_path: Path, proof: Any, gap_s: float
) -> None:
    written(tmp_path / "session.wav", gap_s)
    length_s, gap_ms = proof("listening").length_and_gap(tmp_path / "session.wav")
    assert length_s == pytest.approx(2 + gap_s, abs=0.001)
    assert gap_ms == pytest.approx(gap_s * 1000, abs=0.1)


@pytest.mark.parametrize(("line", "heard"), [('{"confidence":0.5}', True), ("online", False), ("[1]", False)])
def test_what_is_no_state_is_not_taken_for_one(line: str, heard: bool, proof: Any) -> None:
    assert proof("listening").is_state(line) is heard


def test_silence_and_no_file_are_no_music(tmp_path: Path, proof: Any) -> None:
    listening = proof("listening")
    sink = WavSink(tmp_path / "session.wav")
    sink.open()
    sink.write(np.zeros((RATE_HZ, 2), np.float32))
    sink.close()
    assert listening.length_and_gap(tmp_path / "session.wav") == (0.0, 0.0)
    assert listening.length_and_gap(tmp_path / "absent.wav") == (0.0, 0.0)


def test_the_first_sound_of_a_growing_file_is_noticed(tmp_path: Path, proof: Any) -> None:
    follower = proof("listening").WavFollower(tmp_path / "session.wav")
    try:
        assert follower.heard_s is None
        written(tmp_path / "session.wav", 0.0)
        wait_until(lambda: follower.heard_s is not None, "the sound is noticed")
    finally:
        follower.close()


def test_a_session_without_music_or_states_is_red(proof: Any) -> None:
    for name in ("roots", "listening", "machines"):
        proof(name)
    session = proof("session")
    assert session.faults(session.Seen(), 0.0, 0) == ["no music", "0 states heard"]
    late = session.Seen(to_music_s=5.1, gap_ms=20.1, states=4)
    assert session.faults(late, 24.0, 0) == ["music after 5.1 s", "a gap of 20 ms"]
    assert session.faults(session.Seen(to_music_s=4.9, gap_ms=2.0, states=4), 24.0, 0) == []


def test_the_readme_prints_the_commands_that_are_typed(proof: Any) -> None:
    proof("roots")
    readme = proof("machines").Readme((ROOT / "README.md").read_text("utf-8"))
    assert readme.line("run", 25) == "make run"
    assert readme.line("listen offline", 25) == 'make run ARGS="--output wav:session.wav --duration 25s"'


def test_where_no_root_can_be_made_the_proof_is_a_skip_with_its_reason(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(PROOF), "--quick"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("proof: skipped: ")
    assert done.returncode == 0


def test_a_line_that_was_not_tried_again_stays_in_the_table(tmp_path: Path, proof: Any) -> None:
    for name in ("roots", "listening", "machines", "session"):
        proof(name)
    program, file = proof("program", "__main__"), tmp_path / "table.md"
    one = ("Debian 12", "3.11.2", "root", "2.0", "2.1", "4", "", "green")
    other = ("Debian 13", "3.13.5", "root", "", "", "0", "", "RED: no music; 0 states heard")
    program.kept(file, [one, other])
    program.kept(file, [(*other[:3], "3.0", "2.1", "4", "", "green")])
    lines = file.read_text("utf-8").splitlines()[-2:]
    assert lines == [
        "| Debian 12 | 3.11.2 | root | 2.0 | 2.1 | 4 |  | green |",
        "| Debian 13 | 3.13.5 | root | 3.0 | 2.1 | 4 |  | green |",
    ]
