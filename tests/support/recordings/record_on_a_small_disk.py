"""Records until no more fits: under a limit of file size, or on a small disk. Then room is made.

Prints what the recorder said, then how many samples were handed over in all.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from acquisition.recording.recording_file import RecordingNews
from acquisition.recording.session_recorder import SessionRecorder
from acquisition.signal import HeadsetStatus
from support.recordings.session_making import BEGAN, INFO, SETTINGS, chunk_at

LIMIT_BYTES = 200_000


def _wait(true: object) -> None:
    assert callable(true)
    until = time.monotonic() + 60
    while not true() and time.monotonic() < until:
        time.sleep(0.02)


if __name__ == "__main__":
    how, folder = sys.argv[1], Path(sys.argv[2])
    said: list[RecordingNews] = []
    recorder = SessionRecorder(folder / "a.xdf", BEGAN, SETTINGS, on_news=said.append)
    ballast = folder / "ballast"
    if how == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, resource.RLIM_INFINITY))
    else:
        ballast.write_bytes(b"x" * 700_000)
    recorder.on_item(HeadsetStatus("streaming", INFO))
    number = 0
    while not said and number < 3000:
        recorder.on_item(chunk_at(number))
        number += 1
        time.sleep(0.001)
    _wait(lambda: said)
    paused = not recorder.recording
    for _ in range(50):
        recorder.on_item(chunk_at(number))
        number += 1
    if how == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    else:
        ballast.unlink()
    _wait(lambda: len(said) > 1)
    path = recorder.close()
    if path is not None and how == "disk":
        Path(sys.argv[3]).write_bytes(path.read_bytes())
    print(json.dumps({"said": [news.happened for news in said], "handed": number * 16, "paused": paused}))  # noqa: T201
