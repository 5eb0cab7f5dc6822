from __future__ import annotations

import io
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import sosfilt

from player.analysis.k_weighting import SECTIONS_48K, KWeighting
from player.analysis.loudness import LoudnessMeter
from player.analysis.track_analysis import analyse
from player.deck import MIX_RATE_HZ
from support.sounds.playback_rig import high_noise, small_wav
from support.waiting import PATIENCE_S


def test_a_stretch_is_measured_alone() -> None:
    meter = LoudnessMeter()
    for level_dbfs in (-34.0, -20.0):
        meter.push(np.ascontiguousarray(high_noise(4, seed=1, level_dbfs=level_dbfs).T))
    quiet, loud = meter.integrated_lufs(0.0, 4.0), meter.integrated_lufs(4.0, 8.0)
    assert quiet is not None
    assert loud is not None
    assert loud - quiet == pytest.approx(14.0, abs=0.2)
    assert meter.integrated_lufs(9.0, 12.0) is None


def test_the_first_minute_is_measured_beside_the_whole() -> None:
    noise = high_noise(10, seed=2, level_dbfs=-20.0)
    sound = np.concatenate([*[noise * 0.5] * 6, *[noise] * 3])
    file = io.BytesIO()
    soundfile.write(file, sound, MIX_RATE_HZ, format="WAV")
    file.seek(0)
    measured = analyse(file)
    assert measured.loudness_lufs is not None
    assert measured.opening_lufs is not None
    assert 2.0 < measured.loudness_lufs - measured.opening_lufs < 5.0


@pytest.mark.parametrize("sizes", [[48_000], [1, 7, 28_673, 30_000, 28_672]])
def test_the_weighting_is_that_of_its_sections_whatever_the_blocks(sizes: list[int]) -> None:
    sound = high_noise(3, seed=3).T
    exact = sosfilt(SECTIONS_48K, sound.astype(np.float64), axis=1)
    weighting, at, parts = KWeighting(), 0, []
    for size in itertools.cycle(sizes):
        if at >= sound.shape[1]:
            break
        parts.append(weighting.process(sound[:, at : at + size]))
        at += size
    assert np.concatenate(parts, axis=1) == pytest.approx(exact, abs=1e-6)


def test_measuring_a_file_needs_no_scipy(tmp_path: Path) -> None:
    """Importing it takes longer than measuring a track, and each start of the player would pay for it."""
    path = small_wav(tmp_path / "a.wav")
    script = (
        "import sys, player.library.scan_worker\nfrom player.analysis.track_analysis import analyse\n"
        "analyse(open(sys.argv[1], 'rb'))\nprint('scipy' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stdout == "False\n"
