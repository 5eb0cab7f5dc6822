"""Measures one file: loudness, true peak, cue points, natural fade-out, tempo and features of its mood."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

import numpy as np
from numpy.typing import NDArray

from player.analysis.loudness import LoudnessMeter
from player.analysis.spectral_features import SpectralFeatures
from player.analysis.track_measures import Analysis, MoodFeatures
from player.reading.sound_opening import open_sound
from player.reading.sound_reader import READ_RATE_HZ, SoundReader, UnreadableAudioError, blocks

MAX_ANALYSED_S = 1_200.0
"""Of a longer file the first twenty minutes and the end are measured."""
END_S = 60.0
OPENING_S = 60.0
ENVELOPE_HOP_S = 0.02
CUE_DBFS = -50.0
CUE_BELOW_LOUD_DB = 40.0
FADE_DROP_DB = 6.0
FADE_END_DROP_DB = 20.0
MIN_FADE_S = 4.0
MAX_FADE_S = 20.0

Floats = NDArray[np.float64]


def analyse(file: IO[bytes], on_block: Callable[[], None] = lambda: None) -> Analysis:
    """Decode and measure an open file; ``on_block`` is called at each block. Raises UnreadableAudioError."""
    meter = LoudnessMeter(READ_RATE_HZ)
    spectrum = SpectralFeatures(READ_RATE_HZ)
    envelope: list[Floats] = []
    read_s = 0.0
    end: tuple[float, Floats] | None = None
    with open_sound(file) as reader:
        said_s = reader.facts().duration_s
        for block in blocks(reader):
            on_block()
            meter.push(block)
            spectrum.push(block)
            envelope.append(_levels(block))
            read_s += block.shape[1] / READ_RATE_HZ
            if read_s >= MAX_ANALYSED_S and said_s > read_s + END_S:
                end = _read_end(reader, said_s)
                break
    if read_s <= 0:
        raise UnreadableAudioError("decodes to no sound at all")
    levels = np.concatenate(envelope)
    duration_s = read_s if end is None else said_s
    cue_in_s, cue_out_s, fades_out_s = _cues(levels, duration_s, end)
    features = MoodFeatures(
        flux=spectrum.flux(),
        onset_rate_hz=spectrum.onset_rate_hz(),
        high_share=spectrum.high_share(),
        centroid_hz=spectrum.centroid_hz(),
        majorness=spectrum.majorness(),
    )
    return Analysis(
        duration_s=round(duration_s, 3),
        cue_in_s=round(cue_in_s, 3),
        cue_out_s=round(cue_out_s, 3),
        fades_out_s=round(fades_out_s, 2),
        loudness_lufs=meter.integrated_lufs(),
        true_peak_dbtp=meter.true_peak_dbtp(),
        tempo_bpm=spectrum.tempo_bpm(),
        features=features,
        opening_lufs=meter.integrated_lufs(cue_in_s, cue_in_s + OPENING_S),
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
