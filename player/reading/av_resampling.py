"""Frames of FFmpeg, whatever they are, as stereo at one rate. What changes midway is resampled anew."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from player.reading.sound_reader import READ_RATE_HZ, Part

PLANES = 8
"""Before version 19 PyAV reads behind the memory of a frame with more of them than this."""


def stereo_pieces(frames: Iterable[AudioFrame], n_frames: int) -> Iterator[Part]:
    """Stereo of shape (n_frames, 2) at 48 kHz; shorter at the end and where the format changes.

    A frame that nothing can be made of is left out.
    """
    resampler: av.AudioResampler | None = None
    fold = False
    for frame in frames:
        try:
            if resampler is not None:
                yield from map(_stereo, resampler.resample(_folded(frame) if fold else frame))
                continue
        except (av.FFmpegError, ValueError):
            # other channels, another rate or sample format than before, as `ffmpeg` takes them, too
            yield from _rest(resampler)
        resampler, fold, first = _begun(frame, n_frames)
        yield from map(_stereo, first)
    yield from _rest(resampler)


def _begun(frame: AudioFrame, n_frames: int) -> tuple[av.AudioResampler | None, bool, list[AudioFrame]]:
    """A resampler for frames of this kind, whether they are folded for it, and what the first becomes."""
    for fold in (False, True):
        try:
            taken = _folded(frame) if fold else frame
            # FFmpeg interleaves and joins the frames of the codec in less time than looking at them takes
            # here; swresample spreads mono over two sides at -3 dB, so mono stays mono and is doubled by hand
            layout = "mono" if len(taken.layout.channels) == 1 else "stereo"
            resampler = av.AudioResampler(format="flt", layout=layout, rate=READ_RATE_HZ, frame_size=n_frames)
            return resampler, fold, resampler.resample(taken)
        except (av.FFmpegError, ValueError):
            continue
    return None, False, []


def _rest(resampler: av.AudioResampler | None) -> Iterator[Part]:
    try:
        yield from map(_stereo, [] if resampler is None else resampler.resample(None))
    except (av.FFmpegError, ValueError):
        return


def _folded(frame: AudioFrame) -> AudioFrame:
    """Stereo of channels that FFmpeg knows no places for (nine and more): every other one on one side."""
    if frame.format.is_planar and len(frame.layout.channels) > PLANES:
        raise ValueError("more channels than PyAV can hand over")
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    folded = AudioFrame.from_ndarray(
        np.stack([_as_float(samples[side::2]).mean(axis=0, dtype=np.float32) for side in (0, 1)]),
        format="fltp",
        layout="stereo",
    )
    folded.sample_rate, folded.pts = frame.sample_rate, frame.pts
    if frame.time_base is not None:
        folded.time_base = frame.time_base
    return folded


def _as_float(samples: NDArray[np.generic]) -> Part:
    """Full scale is +-1; integers of FFmpeg fill their whole type, and 8 bits have no sign."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    middle = 128 if samples.dtype == np.uint8 else 0
    scale = 128 if samples.dtype == np.uint8 else -float(np.iinfo(str(samples.dtype)).min)
    return ((samples.astype(np.float32) - middle) / scale).astype(np.float32)


def _stereo(frame: AudioFrame) -> Part:
    samples: Part = frame.to_ndarray()[0].astype(np.float32, copy=False)
    if len(frame.layout.channels) == 1:
        samples = np.repeat(samples, 2)
    # one pass instead of the five of nan_to_num: hardly any file holds what is no number
    if not math.isfinite(float(samples.sum())):
        np.nan_to_num(samples, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
    return samples.reshape(-1, 2)
