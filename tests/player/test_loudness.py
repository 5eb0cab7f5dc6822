from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from playback_rig import high_noise

from player.deck import MIX_RATE_HZ
from player.loudness import LoudnessMeter
from player.track_analysis import analyse


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
