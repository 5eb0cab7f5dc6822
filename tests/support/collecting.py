"""Opens a source and reads so many seconds of its own time, however long a busy machine takes over that."""

from __future__ import annotations

import time

from acquisition.port import AbsentError, EegSource
from acquisition.signal import EegChunk, StreamInfo
from support.waiting import PATIENCE_S


def opened(source: EegSource) -> StreamInfo:
    """Open it as the feed does: what is not there yet is looked for again."""
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return source.open()
        except AbsentError:
            source.close()
            if time.monotonic() > until_s:
                raise
            time.sleep(0.05)


def collect(source: EegSource, seconds: float) -> list[EegChunk]:
    """Chunks that span at least ``seconds`` from the end of the first to the end of the last."""
    chunks: list[EegChunk] = []
    until_s = time.monotonic() + PATIENCE_S
    while not chunks or chunks[-1].times_s[-1] - chunks[0].times_s[-1] < seconds:
        assert time.monotonic() < until_s, f"{seconds:g} s of samples did not come in {PATIENCE_S:g} s"
        chunk = source.poll(0.05)
        if chunk is not None and chunk.samples_uv.shape[1]:
            chunks.append(chunk)
    return chunks
