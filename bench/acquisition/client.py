"""One reader of an LSL stream in a process of its own: ours, pylsl alone, or mne-lsl's StreamLSL.

``python client.py KIND NAME`` prints one JSON line a second with the samples so far, and one when samples
come again after a second of silence.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
POLL_S = 0.05
SILENCE_S = 1.0


class Report:
    """Counts samples and tells of returns."""

    def __init__(self) -> None:
        self._samples, self._last_s, self._said_s = 0, 0.0, 0.0

    def heard(self, samples: int) -> None:
        """So many new samples came (0: none)."""
        now_s = time.monotonic()
        if samples:
            if self._last_s and now_s - self._last_s > SILENCE_S:
                self._say({"back_s": now_s, "silent_s": now_s - self._last_s})
            self._last_s, self._samples = now_s, self._samples + samples
        if now_s - self._said_s >= 1.0:
            self._said_s = now_s
            self._say({"at_s": now_s, "samples": self._samples})

    def _say(self, words: dict[str, float]) -> None:
        print(json.dumps(words), flush=True)


def pylsl_alone(name: str) -> Iterator[int]:
    """The shortest loop there is, with liblsl's own recovery, as in its examples."""
    import pylsl

    inlet = None
    while inlet is None:
        found = pylsl.resolve_byprop("name", name, timeout=5)
        inlet = pylsl.StreamInlet(found[0]) if found else None
    while True:
        _, stamps = inlet.pull_chunk(timeout=POLL_S, max_samples=1024)
        yield len(stamps)


def mne_lsl(name: str) -> Iterator[int]:
    """StreamLSL with its default acquisition, looked at as often as the others look."""
    from mne_lsl.stream import StreamLSL

    stream = StreamLSL(bufsize=10.0, name=name).connect(acquisition_delay=POLL_S, timeout=10)
    last_s = 0.0
    while True:
        time.sleep(POLL_S)
        _, stamps = stream.get_data(winsize=2.0)
        new = int((stamps > last_s).sum())
        last_s = max(last_s, float(stamps[-1]))
        yield new


async def ours(name: str, report: Report) -> None:
    """The acquisition loop as the engine runs it, its driver in a child process."""
    from acquisition.opening import make_source
    from acquisition.signal import EegChunk
    from acquisition.source_spec import parse_source
    from acquisition.stream.feed import Feed

    async with Feed(partial(make_source, parse_source(f"lsl:{name}"))) as feed:
        async for item in feed:
            report.heard(item.samples_uv.shape[1] if isinstance(item, EegChunk) else 0)


def main() -> None:
    """Run until killed."""
    kind, name = sys.argv[1:3]
    report = Report()
    if kind == "ours":
        asyncio.run(ours(name, report))
        return
    for samples in (pylsl_alone if kind == "pylsl" else mne_lsl)(name):
        report.heard(samples)


if __name__ == "__main__":
    main()
