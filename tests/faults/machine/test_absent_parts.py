"""Optional parts truly absent (their files are gone, no function is patched): the music plays."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.absent_parts import library_folder, run_without
from support.sounds.playback_rig import small_wav

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]

PLAY = """
import logging, sys, time
from player.opening import open_playback
logging.basicConfig(level=logging.WARNING, format="%(message)s")
music, out, cache = sys.argv[1:]
playback = open_playback(music=[music], outputs=out.split(","), cache_dir=__import__("pathlib").Path(cache))
playback.start()
until_s = time.monotonic() + 120
while playback.state().position_s < 1.5 and time.monotonic() < until_s:
    time.sleep(0.05)
title = playback.state().track.title if playback.state().track else None
playback.close()
print("played", title)
"""
DOCTOR = "from daemon.cli import main; main(['doctor'])"


def part_folder(module: str) -> Path:
    """The folder that a module's package or file lies in. Skips where it is not installed."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        pytest.skip(f"{module} is not installed")
    path = Path(spec.origin)
    return path.parents[1] if path.name == "__init__.py" else path.parent


def absent(part: str) -> dict[Path, list[str]]:
    if part == "libVLC":
        return {library_folder("libvlc.so.5"): ["libvlc*", "vlc"]}
    if part == "VLC's plugins":
        return {library_folder("libvlc.so.5") / "vlc": ["*"]}
    names = {
        "python-vlc": ["vlc.py"],
        "PyAV": ["av", "av.libs", "av-*"],
        "miniaudio": ["miniaudio*", "_mini*"],
    }
    modules = {"python-vlc": "vlc", "PyAV": "av", "miniaudio": "miniaudio"}
    return {part_folder(modules[part]): names[part]}


REMEDIES = {
    "libVLC": "apt install libvlc5 vlc-plugin-base",
    "VLC's plugins": "vlc-plugin-base",
    "python-vlc": "apt install libvlc5 vlc-plugin-base",
    "PyAV": "pip install --force-reinstall av",
    "miniaudio": "pip install --force-reinstall miniaudio",
}


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    small_wav(folder / "a.wav", 20.0)
    return folder


@pytest.mark.parametrize("part", REMEDIES)
def test_the_music_plays_without_it_and_what_to_do_is_told_once(
    music: Path, tmp_path: Path, part: str
) -> None:
    out = tmp_path / "out.wav"
    outputs = f"wav:{out}" + (",device" if part == "miniaudio" else "")
    command = [sys.executable, "-c", PLAY, str(music), outputs, str(tmp_path / "cache")]
    done = run_without(absent(part), command, tmp_path / "hidden")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "played a" in done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.count(REMEDIES[part]) == 1, done.stderr
    sound = soundfile.read(out, dtype="float32")[0]
    assert np.sqrt(np.mean(sound[24_000:72_000] ** 2)) > 0.01


@pytest.mark.parametrize("part", REMEDIES)
def test_doctor_names_the_remedy(tmp_path: Path, part: str) -> None:
    done = run_without(absent(part), [sys.executable, "-c", DOCTOR], tmp_path / "hidden")
    assert REMEDIES[part] in " ".join((done.stdout + done.stderr).split()), done.stdout
    assert "could not be checked" not in done.stdout
    assert "Traceback" not in done.stderr
