"""Records at the pace of a headset until it is killed; the first argument is how often.

Each time a fork of this process records into its own folder, and writes into the shared page how many
samples it has handed over, so that the parent knows how much was lost.
"""

from __future__ import annotations

import json
import mmap
import os
import random
import signal
import struct
import sys
import time
from pathlib import Path

from acquisition.recording.session_recorder import SessionRecorder
from acquisition.signal import HeadsetStatus
from support.recordings.session_making import BEGAN, INFO, SETTINGS, chunk_at


def _record(folder: Path, page: mmap.mmap) -> None:
    recorder = SessionRecorder(folder / "a.xdf", BEGAN, SETTINGS, on_news=lambda _: None)
    recorder.on_item(HeadsetStatus("streaming", INFO))
    begin, number = time.monotonic(), 0
    while True:
        while number < (time.monotonic() - begin) * 16:
            recorder.on_item(chunk_at(number))
            number += 1
            page[:8] = struct.pack("<Q", number * 16)
        time.sleep(0.01)


def _once(folder: Path, after_s: float) -> tuple[Path, int]:
    folder.mkdir()
    page = mmap.mmap(-1, 8)
    pid = os.fork()
    if pid == 0:
        _record(folder, page)
    time.sleep(after_s)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return folder, struct.unpack("<Q", page[:8])[0]


if __name__ == "__main__":
    times, seed, base = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    rng = random.Random(seed)
    for turn in range(times):
        folder, handed = _once(base / f"{seed}-{turn}", rng.uniform(0.05, 1.3))
        print(json.dumps([str(folder), handed]), flush=True)  # noqa: T201 - what the test reads
