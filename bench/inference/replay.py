"""One hour of EEG replayed as fast as it goes, on one core: ours against timeflux and an mne-lsl stream.

``python bench/inference/replay.py``; writes to bench/results/. ``PEERS_PYTHON`` names the interpreter of an
environment with ``timeflux``, ``timeflux_dsp`` and ``mne-lsl``, which cannot live with the newest numpy. Ours
does the whole way to settled states: resampling, filters, quality gate, features, baseline, network, mood.
The timeflux nodes filter and cut windows, whose band powers are taken by Welch's method, and so is done with
the mne-lsl stream, whose player is in its CPU. A peer is given minutes, not the hour, and its rate compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]

from measuring import one_core, write  # noqa: E402

one_core()

import numpy as np  # noqa: E402

BANDS = ((1, 4), (4, 8), (8, 13), (13, 30), (30, 45))
CHANNELS = ("TP9", "AF7", "AF8", "TP10")
RATE_HZ = 256.0
MINUTES = 60
HERE = Path(__file__).resolve()
PEERS_TIMEOUT_S = 300


def eeg(minutes: float) -> Any:
    """Noise with alpha that comes and goes, four channels."""
    n = round(minutes * 60 * RATE_HZ)
    rng = np.random.default_rng(0)
    times_s = np.arange(n) / RATE_HZ
    alpha = (6 + 4 * np.sin(2 * np.pi * times_s / 120)) * np.sin(2 * np.pi * 10 * times_s)
    return rng.normal(size=(len(CHANNELS), n)) * 8 + alpha


def ours(minutes: float, chunk: int) -> dict[str, Any]:
    """Chunks into the pipeline with the shipped network, else the band-power rule."""
    from acquisition.signal import EegChunk, StreamInfo
    from acquisition.stream.timeline import Timeline
    from inference.classification.band_power_classifier import BandPowerClassifier
    from inference.emotion import EmotionState
    from inference.networks.manifest import map_channels
    from inference.networks.model_store import ModelStore
    from inference.networks.vetting import load_network
    from inference.pipeline import Pipeline, PipelineSettings

    samples_uv = eeg(minutes)
    times_s = np.arange(samples_uv.shape[1]) / RATE_HZ
    manifest = ModelStore((HERE.parents[2] / "models" / "pretrained",)).choose_for(CHANNELS)
    classifier = load_network(manifest, "int8") if manifest else BandPowerClassifier(CHANNELS)
    settings = PipelineSettings(baseline_s=30.0, mains_hz="auto")
    info = StreamInfo("bench", "bench", CHANNELS, RATE_HZ)
    mapped = map_channels(manifest, CHANNELS) if manifest else CHANNELS
    pipeline = Pipeline(info, classifier, settings, channels=mapped)
    timeline = Timeline(RATE_HZ)
    states = 0
    began_s, used_s = time.perf_counter(), time.process_time()
    for start in range(0, samples_uv.shape[1], chunk):
        part = slice(start, start + chunk)
        for item in timeline.push(EegChunk(samples_uv[:, part], times_s[part])):
            states += sum(isinstance(reading, EmotionState) for reading in pipeline.push(item))
    wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - used_s
    return {
        "minutes": minutes,
        "chunk": chunk,
        "states": states,
        "cpu_s": round(cpu_s, 3),
        "wall_s": round(wall_s, 3),
        "times_real_time": round(60 * minutes / cpu_s, 1),
        "model": classifier.model_id.name,
    }


def timeflux(minutes: float, chunk: int) -> dict[str, float]:
    """The nodes of a timeflux graph run in order, IIR filter and window; then Welch and bands."""
    import pandas as pd
    from scipy import signal
    from timeflux.nodes.window import Slide
    from timeflux_dsp.nodes.filters import IIRFilter

    samples_uv = eeg(minutes).T
    index = pd.date_range("2026-01-01", periods=len(samples_uv), freq=pd.Timedelta(seconds=1 / RATE_HZ))
    band = IIRFilter(rate=RATE_HZ, frequencies=[1, 45], order=4)
    window = Slide(length=2.0, step=0.5, rate=RATE_HZ)
    windows = 0
    used_s = time.process_time()
    for start in range(0, len(samples_uv), chunk):
        part = slice(start, start + chunk)
        band.i.data = pd.DataFrame(samples_uv[part], index=index[part], columns=CHANNELS)
        band.update()
        window.i.data = band.o.data
        window.o_0.clear()
        window.update()
        if window.o_0.ready():
            # its own Welch node does not run with today's pandas: scipy's, which it calls, stands in
            grid, density = signal.welch(window.o_0.data.to_numpy().T, RATE_HZ, nperseg=256)
            [density[:, (grid >= low) & (grid < high)].sum(axis=1) for low, high in BANDS]
            windows += 1
    cpu_s = time.process_time() - used_s
    return {
        "minutes": minutes,
        "states": windows,
        "cpu_s": round(cpu_s, 3),
        "times_real_time": round(60 * minutes / cpu_s, 1),
    }


def mne_lsl(seconds: float, speed: float) -> dict[str, float]:
    """An mne-lsl stream of a player's outlet; each half second the bands of the last two are taken."""
    import mne
    from mne_lsl.player import PlayerLSL
    from mne_lsl.stream import StreamLSL
    from scipy import signal

    mne.set_log_level("ERROR")
    rate_hz = RATE_HZ * speed  # a stream cannot be replayed faster: a stream of a higher rate is as much work
    raw = mne.io.RawArray(eeg(1) * 1e-6, mne.create_info(list(CHANNELS), rate_hz, "eeg"), verbose=False)
    player = PlayerLSL(raw, chunk_size=64, name="bench", source_id="bench")
    windows = 0
    stream = StreamLSL(bufsize=2.0 / speed, name="bench", source_id="bench")
    with player:
        stream.connect(acquisition_delay=0.5 / speed)
        stream.filter(speed, 45.0 * speed, verbose=False)
        used_s, until_s = time.process_time(), time.perf_counter() + seconds
        while time.perf_counter() < until_s:
            data, _ = stream.get_data()
            grid, density = signal.welch(data, RATE_HZ, nperseg=256)
            [density[:, (grid >= low) & (grid < high)].sum(axis=1) for low, high in BANDS]
            windows += 1
            time.sleep(0.5 / speed)
        cpu_s = time.process_time() - used_s
        stream.disconnect()
    return {
        "seconds_of_eeg": seconds * speed,
        "states": windows,
        "cpu_s": round(cpu_s, 3),
        "times_real_time": round(seconds * speed / cpu_s, 1),
    }


def peer(name: str) -> dict[str, Any]:
    """One peer in a process of its own; why not, where it cannot."""
    command = [os.environ.get("PEERS_PYTHON", sys.executable), "-W", "ignore", str(HERE), name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PEERS_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"did not end within {PEERS_TIMEOUT_S} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        return {"error": (done.stderr.strip().splitlines() or ["no answer"])[-1][:300]}
    return dict(json.loads(lines[-1]))


def main() -> None:
    """Ours at two chunk sizes, then each peer."""
    document: dict[str, Any] = {
        "ours, chunks of 1 s": ours(MINUTES, 256),
        "ours, chunks of 1/16 s": ours(MINUTES, 16),
        "timeflux": peer("timeflux"),
        "mne-lsl": peer("mne-lsl"),
    }
    best = document["ours, chunks of 1 s"]["times_real_time"]
    model = document["ours, chunks of 1 s"]["model"]
    lines = [
        f"One core, four channels at 256 Hz, a window of 2 s each half second, read by {model}.",
        "",
        "| who | EEG replayed | CPU | times real time | ours is |",
        "|---|---|---|---|---|",
    ]
    for name, row in document.items():
        if "error" in row:
            lines.append(f"| {name} | not run: {row['error']} | | | |")
            continue
        long = f"{row['minutes']:g} min" if "minutes" in row else f"{row['seconds_of_eeg']:g} s"
        said = "" if name.startswith("ours") else f"{best / row['times_real_time']:.1f} x faster"
        lines.append(f"| {name} | {long} | {row['cpu_s']} s | {row['times_real_time']:g} | {said} |")
    write("inference_replay", "An hour replayed", document, lines)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(timeflux(5, 64) if sys.argv[1] == "timeflux" else mne_lsl(12, 4.0)))
    else:
        main()
