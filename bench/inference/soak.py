"""Eight virtual hours through timeline, pipeline and network: memory, threads and descriptors (F42).

``python bench/inference/soak.py [HOURS]``; writes to bench/results/. A lost stretch every half minute makes
every part begin anew again and again, and a recalibration every hour.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]

from measuring import one_core, write  # noqa: E402

one_core()

import numpy as np  # noqa: E402
import psutil  # noqa: E402

from acquisition.signal import EegChunk, StreamInfo  # noqa: E402
from acquisition.stream.timeline import Timeline  # noqa: E402
from inference.classification.band_power_classifier import BandPowerClassifier  # noqa: E402
from inference.emotion import EmotionState  # noqa: E402
from inference.networks.manifest import map_channels  # noqa: E402
from inference.networks.model_store import ModelStore  # noqa: E402
from inference.networks.vetting import load_network  # noqa: E402
from inference.pipeline import Pipeline, PipelineSettings  # noqa: E402

CHANNELS = ("TP9", "AF7", "AF8", "TP10")
RATE_HZ = 256.0
CHUNK = 64
SETTLE_H = 0.5
TARGET_MB_H = 1.0


def make_pipeline() -> Pipeline:
    """With the shipped network, else the band-power rule."""
    store = ModelStore((Path(__file__).resolve().parents[2] / "models" / "pretrained",))
    manifest = store.choose_for(CHANNELS)
    info = StreamInfo("bench", "bench", CHANNELS, RATE_HZ)
    settings = PipelineSettings(baseline_s=30.0, mains_hz="auto")
    if manifest is None:
        return Pipeline(info, BandPowerClassifier(CHANNELS), settings)
    mapped = map_channels(manifest, CHANNELS)
    return Pipeline(info, load_network(manifest, "int8"), settings, channels=mapped)


def run(hours: float) -> list[dict[str, float]]:
    """Readings every virtual five minutes."""
    process, pipeline, timeline = psutil.Process(), make_pipeline(), Timeline(RATE_HZ)
    minute = np.random.default_rng(0).normal(size=(4, round(60 * RATE_HZ))) * 10
    at, states, rows = 0.0, 0, []
    for number in range(round(hours * 60)):
        for start in range(0, minute.shape[1], CHUNK):
            chunk = minute[:, start : start + CHUNK]
            times_s = at + np.arange(chunk.shape[1]) / RATE_HZ
            at = times_s[-1] + 1 / RATE_HZ
            if start % round(30 * RATE_HZ) == 0:
                at += 2.0
            for item in timeline.push(EegChunk(chunk, times_s)):
                states += sum(isinstance(reading, EmotionState) for reading in pipeline.push(item))
        if number % 60 == 59:
            pipeline.recalibrate()
        if number % 5 == 4:
            rows.append(
                {
                    "hours": (number + 1) / 60,
                    "rss_mb": process.memory_info().rss / 2**20,
                    "threads": process.num_threads(),
                    "descriptors": process.num_fds() if hasattr(process, "num_fds") else 0,
                    "states": states,
                }
            )
    return rows


def main() -> None:
    """Fit the slope after the first half hour."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    rows = run(hours)
    settled = [row for row in rows if row["hours"] > SETTLE_H]
    slope, _ = np.polyfit([row["hours"] for row in settled], [row["rss_mb"] for row in settled], 1)
    threads, descriptors = ({row[name] for row in settled} for name in ("threads", "descriptors"))
    document: dict[str, Any] = {
        "hours": hours,
        "states": rows[-1]["states"],
        "rss_mb_first": round(settled[0]["rss_mb"], 1),
        "rss_mb_last": round(settled[-1]["rss_mb"], 1),
        "slope_mb_per_hour": round(float(slope), 4),
        "target_mb_per_hour": TARGET_MB_H,
        "threads": sorted(threads),
        "descriptors": sorted(descriptors),
    }
    lines = [
        f"{hours:g} virtual hours, {document['states']} states, a hole of 2 s every half minute.",
        "",
        "| what | figure | target |",
        "|---|---|---|",
        f"| memory slope after half an hour | {document['slope_mb_per_hour']} MB/h | {TARGET_MB_H:g} MB/h |",
        f"| resident memory | {document['rss_mb_first']} .. {document['rss_mb_last']} MB | 150 MB |",
        f"| threads | {', '.join(map(str, document['threads']))} | constant |",
        f"| descriptors | {', '.join(map(str, document['descriptors']))} | constant |",
    ]
    write("inference_soak", "Eight virtual hours", document, lines)


if __name__ == "__main__":
    main()
