"""Measures one file: loudness, true peak, cue points, natural fade-out and features of its mood."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

import numpy as np
from numpy.typing import NDArray

from player.analysis.loudness import LoudnessMeter
from player.analysis.spectral_features import SpectralFeatures
from player.analysis.track_measures import Analysis
from player.reading.sound_opening import open_sound
from player.reading.sound_reader import READ_RATE_HZ, SoundReader, UnreadableAudioError, blocks

MAX_ANALYSED_S = 1_200.0
"""Of a longer file the first twenty minutes and the end are measured."""
END_S = 60.0
EXCERPT_S = 30.0
LONGER_THAN_EXCERPT_S = 90.0
BELIEVABLE_S = 12 * 3600.0
"""Of a file whose header promises more, the beginning is measured as that of any other."""
OPENING_S = 60.0
ENVELOPE_HOP_S = 0.02
CUE_DBFS = -50.0
CUE_BELOW_LOUD_DB = 40.0
FADE_DROP_DB = 6.0
FADE_END_DROP_DB = 20.0
MIN_FADE_S = 4.0
MAX_FADE_S = 20.0

Floats = NDArray[np.float64]


def analyse(
    file: IO[bytes], on_block: Callable[[], None] = lambda: None, *, excerpt: bool = False
) -> Analysis:
    """Decode and measure an open file, or only 30 s of a longer one; ``on_block`` is called at each block.

    Raises UnreadableAudioError.
    """
    with open_sound(file) as reader:
        said_s = reader.facts().duration_s
        if excerpt and LONGER_THAN_EXCERPT_S < said_s <= BELIEVABLE_S:
            analysis = _excerpt(reader, said_s, on_block)
            return analyse(file, on_block) if analysis is None else analysis
        return _whole(reader, said_s, on_block)


def _excerpt(reader: SoundReader, said_s: float, on_block: Callable[[], None]) -> Analysis | None:
    """Measures of a stretch after the first third; None where nothing is heard there."""
    try:
        reader.start_at(said_s / 3)
        heard = _Measures()
        for block in blocks(reader):
            on_block()
            heard.push(block)
            if heard.read_s >= EXCERPT_S:
                break
    except UnreadableAudioError:
        return None
    loudness_lufs = heard.meter.integrated_lufs()
    if loudness_lufs is None:
        return None
    return Analysis(
        duration_s=round(said_s, 3),
        cue_in_s=0.0,
        cue_out_s=round(said_s, 3),
        fades_out_s=0.0,
        loudness_lufs=loudness_lufs,
        true_peak_dbtp=heard.meter.true_peak_dbtp(),
        features=heard.spectrum.features(loudness_lufs),
        whole=False,
    )


class _Measures:
    """What is measured block by block."""

    def __init__(self) -> None:
        self.meter = LoudnessMeter(READ_RATE_HZ)
        self.spectrum = SpectralFeatures(READ_RATE_HZ)
        self.levels: list[Floats] = []
        self.read_s = 0.0

    def push(self, block: NDArray[np.float32]) -> None:
        """Take in samples of shape (2, n)."""
        self.meter.push(block)
        self.spectrum.push(block)
        self.levels.append(_levels(block))
        self.read_s += block.shape[1] / READ_RATE_HZ


def _whole(reader: SoundReader, said_s: float, on_block: Callable[[], None]) -> Analysis:
    heard = _Measures()
    end: tuple[float, Floats] | None = None
    for block in blocks(reader):
        on_block()
        heard.push(block)
        if heard.read_s >= MAX_ANALYSED_S and said_s > heard.read_s + END_S:
            end = _read_end(reader, said_s)
            break
    if heard.read_s <= 0:
        raise UnreadableAudioError("decodes to no sound at all")
    duration_s = heard.read_s if end is None else said_s
    cue_in_s, cue_out_s, fades_out_s = _cues(np.concatenate(heard.levels), duration_s, end)
    loudness_lufs = heard.meter.integrated_lufs()
    return Analysis(
        duration_s=round(duration_s, 3),
        cue_in_s=round(cue_in_s, 3),
        cue_out_s=round(cue_out_s, 3),
        fades_out_s=round(fades_out_s, 2),
        loudness_lufs=loudness_lufs,
        true_peak_dbtp=heard.meter.true_peak_dbtp(),
        features=heard.spectrum.features(loudness_lufs),
        opening_lufs=heard.meter.integrated_lufs(cue_in_s, cue_in_s + OPENING_S),
    )


def _read_end(reader: SoundReader, said_s: float) -> tuple[float, Floats] | None:
    """The levels of the last minute of a very long file and where they begin; None if it cannot seek."""
    start_s = said_s - END_S
    try:
        reader.seek(start_s)
        levels = [_levels(block) for _, block in zip(range(24), blocks(reader), strict=False)]
    except UnreadableAudioError:
        return None
    if not levels:
        return None
    joined = np.concatenate(levels)
    return max(0.0, said_s - len(joined) * ENVELOPE_HOP_S), joined


def _levels(block: NDArray[np.float32]) -> Floats:
    """Level of the louder side every 20 ms, dBFS of a mean square."""
    hop = int(READ_RATE_HZ * ENVELOPE_HOP_S)
    whole = block.shape[1] // hop * hop
    if not whole:
        return np.zeros(0)
    power = np.square(block[:, :whole], dtype=np.float64).reshape(2, -1, hop).mean(axis=2).max(axis=0)
    levels: Floats = 10 * np.log10(np.maximum(power, 1e-12))
    return levels


def _cues(levels: Floats, duration_s: float, end: tuple[float, Floats] | None) -> tuple[float, float, float]:
    """Cue-in, cue-out and length of the natural fade-out, in seconds."""
    if not len(levels):
        return 0.0, duration_s, 0.0
    threshold = min(CUE_DBFS, float(np.percentile(levels, 95)) - CUE_BELOW_LOUD_DB)
    audible = np.flatnonzero(levels > threshold)
    if not len(audible):
        return 0.0, duration_s, 0.0
    cue_in_s = float(audible[0]) * ENVELOPE_HOP_S
    start_s, closing = (0.0, levels) if end is None else end
    heard = np.flatnonzero(closing > threshold)
    last = int(heard[-1]) + 1 if len(heard) else len(closing)
    cue_out_s = min(duration_s, start_s + last * ENVELOPE_HOP_S)
    return cue_in_s, max(cue_out_s, cue_in_s), _fade_length_s(closing[:last])


def _fade_length_s(levels: Floats) -> float:
    """How long the end keeps falling below its own usual level without coming back; 0 for an ordinary end."""
    one_second = round(1 / ENVELOPE_HOP_S)
    before = levels[-60 * one_second :]
    if len(before) < 3 * MIN_FADE_S * one_second:
        return 0.0
    smooth = 10 * np.log10(
        np.convolve(10 ** (before / 10), np.full(one_second, 1 / one_second), mode="valid")
    )
    usual = float(np.median(smooth))
    if smooth[-1] > usual - FADE_END_DROP_DB:
        return 0.0
    last_usual = int(np.flatnonzero(smooth >= usual - FADE_DROP_DB)[-1])
    length_s = (len(smooth) - last_usual) * ENVELOPE_HOP_S
    return min(length_s, MAX_FADE_S) if length_s >= MIN_FADE_S else 0.0
