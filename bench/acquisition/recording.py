"""Cost of recording, and of mending and reading a recording of ten hours.

``python bench/acquisition/recording.py [HOURS]`` writes a session of four channels at 256 Hz as fast as it
can, tears its tail, mends it and reads it back with our reader; pyxdf reads the first hour for comparison.
Writes bench/results/acquisition_recording.json and .md.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "bench" / "inference")]

from measuring import write as write_results  # noqa: E402

from acquisition.recording.recovery import recover  # noqa: E402
from acquisition.recording.session_file import read_session  # noqa: E402
from acquisition.recording.session_recorder import SessionRecorder  # noqa: E402
from acquisition.signal import EegChunk, HeadsetStatus  # noqa: E402
from support.recordings.session_making import BEGAN, INFO, RATE_HZ, SETTINGS, chunk_at  # noqa: E402


def write(path: Path, hours: float) -> dict[str, float]:
    """Record; CPU seconds of the whole process and bytes."""
    from dataclasses import replace

    recorder = SessionRecorder(path, BEGAN, SETTINGS, on_news=print)
    recorder.on_item(HeadsetStatus("streaming", replace(INFO, extras=())))
    chunks = [replace(chunk_at(number), extras=None) for number in range(16)]
    begun = time.process_time()
    count = round(hours * 3600 * RATE_HZ / 16)
    for number in range(count):
        like = chunks[number % 16]
        recorder.on_item(replace(like, times_s=like.times_s + 16 * (number - number % 16) / RATE_HZ))
        if number == count - 6:
            time.sleep(1.0)  # the last batch is to hold no more than it would hold live
        if number % 8 == 0:
            recorder.text("EmotionState", '{"emotion": "relaxed", "arousal": -0.31234, "seq": 12}')
    recorder.close()
    cpu_s = time.process_time() - begun
    return {"cpu_s": cpu_s, "mb": path.stat().st_size / 1e6}


def timed(what: Any) -> float:
    """CPU seconds of a call: other work on the machine does not count."""
    begin = time.process_time()
    what()
    return time.process_time() - begin


def samples(path: Path) -> int:
    """Read all of a session."""
    return sum(item.samples_uv.shape[1] for item in read_session(path) if isinstance(item, EegChunk))


def measure(hours: float) -> dict[str, Any]:
    """Write, tear, mend, read."""
    import pyxdf

    with tempfile.TemporaryDirectory() as folder:
        path, hour = Path(folder) / "long.xdf", Path(folder) / "hour.xdf"
        written = write(path, hours)
        part = path.with_name("long.xdf.part")
        path.rename(part)
        with part.open("r+b") as file:
            file.truncate(part.stat().st_size - 1234)
        mended_s = timed(lambda: recover(part))
        begin = time.process_time()
        found = samples(path)
        read_s = time.process_time() - begin
        write(hour, 1.0)
        ours_s = timed(lambda: samples(hour))
        pyxdf_s = timed(lambda: pyxdf.load_xdf(str(hour)))
    return {
        "hours": hours,
        "mb_per_hour": round(written["mb"] / hours, 1),
        "cpu_percent_of_a_core": round(100 * written["cpu_s"] / (hours * 3600), 3),
        "mend_s": round(mended_s, 2),
        "read_s": round(read_s, 2),
        "samples_after_mending": found,
        "samples_written": round(hours * 3600 * RATE_HZ / 16) * 16,
        "read_an_hour_ours_s": round(ours_s, 2),
        "read_an_hour_pyxdf_s": round(pyxdf_s, 2),
    }


def lines(found: dict[str, Any]) -> list[str]:
    """The results in words."""
    lost_s = (found["samples_written"] - found["samples_after_mending"]) / RATE_HZ
    ratio = found["read_an_hour_pyxdf_s"] / found["read_an_hour_ours_s"]
    hour = (
        f"ours {found['read_an_hour_ours_s']} s, pyxdf {found['read_an_hour_pyxdf_s']} s ({ratio:.1f} times)"
    )
    return [
        f"Four channels at 256 Hz with states, {found['hours']:g} hours, exact values and times throughout.",
        "",
        f"- Recording: {found['cpu_percent_of_a_core']} % of a core, {found['mb_per_hour']} MB an hour.",
        f"- Mending it after its tail was torn: {found['mend_s']} CPU s; {lost_s:.2f} s of EEG were lost.",
        f"- Reading all of it: {found['read_s']} CPU s. Reading one hour: {hour}, all CPU time.",
    ]


if __name__ == "__main__":
    result = measure(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
    write_results("acquisition_recording", "Recording", result, lines(result))
