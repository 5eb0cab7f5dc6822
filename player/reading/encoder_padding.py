"""What encoders put behind the sound of MP4 files to fill their last packet, left out.

FFmpeg leaves out the delay in front of it, and both for MP3 (LAME's tag), Opus and Vorbis; of AAC in MP4 it
gives the padding as sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_SMPB = re.compile(r"\s*[0-9A-F]{8} ([0-9A-F]{8}) ([0-9A-F]{8}) ([0-9A-F]{16})", re.IGNORECASE)


def samples_said(tags: Mapping[str, str]) -> int | None:
    """How many samples of sound Apple's ``iTunSMPB`` says there are; ``tags`` with keys in lower case."""
    found = _SMPB.match(tags.get("itunsmpb", ""))
    samples = int(found[3], 16) if found else 0
    return samples if samples > 0 else None


def without_padding(frames: Iterable[tuple[Any, int]], most: int | None) -> Iterator[Any]:
    """The frames of the pairs; of the last as many samples as its packet says, of all ``most``."""
    held, count = None, 0
    for frame, said in frames:
        if held is not None:
            count += held.samples
            yield held
        held, samples = frame, said if 0 < said < frame.samples else frame.samples
        if most is not None and count + samples >= most:
            samples = most - count
            break
    if held is not None:
        yield held if samples == held.samples else _cut(held, samples)


def _cut(frame: Any, samples: int) -> Any:
    """The first samples of a frame."""
    values = frame.to_ndarray()
    channels = 1 if frame.format.is_planar else len(frame.layout.channels)
    cut = type(frame).from_ndarray(
        values[:, : samples * channels].copy(), format=frame.format.name, layout=frame.layout.name
    )
    cut.sample_rate, cut.pts, cut.time_base = frame.sample_rate, frame.pts, frame.time_base
    return cut
