"""From blocks of the mix to the bytes of a stream, through PyAV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from player.deck import MIX_RATE_HZ, PcmBlock
from player.sink import SinkError


@dataclass(frozen=True, slots=True)
class Coding:
    """How one kind of stream is made; ``whole`` samples are of 24 bits, others are floats."""

    container: str
    codec: str
    samples: str
    options: Mapping[str, str]
    bits_a_s: int | None = None

    @property
    def whole(self) -> bool:
        """True for whole numbers."""
        return self.samples == "s32"


CODINGS: Mapping[str, Coding] = {
    "mp3": Coding("mp3", "libmp3lame", "fltp", {"write_xing": "0", "id3v2_version": "0"}, 256_000),
    # a page of a tenth of a second: by itself it waits for a whole one
    "opus": Coding("ogg", "libopus", "flt", {"page_duration": "100000"}, 160_000),
    "flac": Coding("flac", "flac", "s32", {}),
}
"""By the name that a listener asks for. FLAC holds the very samples of a WAV output."""


class StreamEncoder:
    """One stream from its first byte on."""

    def __init__(self, kind: str) -> None:
        """``kind`` is one of ``CODINGS``. Raises SinkError where there is no such encoder here."""
        coding = CODINGS[kind]
        self._whole = coding.whole
        self._out = _Bytes()
        self._frames = 0
        options = {"flush_packets": "1", **coding.options}
        try:
            self._container: Any = av.open(self._out, "w", format=coding.container, options=options)
            stream: Any = self._container.add_stream(coding.codec, rate=MIX_RATE_HZ)
            stream.layout, stream.format = "stereo", coding.samples
            if coding.bits_a_s is not None:
                stream.bit_rate = coding.bits_a_s
            self._stream = stream
            self._container.start_encoding()
        except (av.FFmpegError, ValueError) as error:
            raise SinkError(f"no stream of {kind} can be made here ({error!s:.100})") from error

    def encode(self, block: PcmBlock) -> bytes:
        """What (n, 2) adds to the stream; nothing while a frame or a page is not yet whole."""
        if len(block):
            for packet in self._stream.encode(self._frame(block)):
                self._container.mux(packet)
        return self._out.drained()

    def _frame(self, block: PcmBlock) -> AudioFrame:
        laid = _steps(block) if self._whole else np.ascontiguousarray(block)
        kind = "s32" if self._whole else "flt"
        frame = AudioFrame.from_ndarray(laid.reshape(1, -1), format=kind, layout="stereo")
        frame.sample_rate, frame.pts = MIX_RATE_HZ, self._frames
        self._frames += len(block)
        return frame

    def finish(self) -> bytes:
        """What is left; nothing can be encoded after it."""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()
        return self._out.drained()


def _steps(block: PcmBlock) -> NDArray[Any]:
    """24 bits of (n, 2), as a WAV output rounds them, in the upper part of 32."""
    steps = np.clip(np.rint(block.astype(np.float64) * 2.0**23), -(2**23), 2**23 - 1)
    return steps.astype(np.int32) << 8


class _Bytes:
    """Takes what FFmpeg writes; it cannot go back in it, as in a stream."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def drained(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken
