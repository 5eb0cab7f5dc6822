"""Differential entropy of five bands: ours against scipy, mne-features and BrainFlow.

``python bench/inference/features.py`` in an environment with the group ``peers``; writes
bench/results/inference_features.json and .md. A peer that is not installed is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]

from measuring import in_turns, one_core, write  # noqa: E402

one_core()

import numpy as np  # noqa: E402

from inference.features.schemas import BANDS, differential_entropy  # noqa: E402
from inference.pipeline import PipelineSettings  # noqa: E402
from inference.preprocessing.front_end import FrontEnd  # noqa: E402

RATE_HZ = 128.0


def welch(samples_uv: Any) -> Any:
    """As most scripts do it: Welch with the default segments of 256, then the bands."""
    from scipy import signal

    grid, density = signal.welch(samples_uv, RATE_HZ, nperseg=256)
    power = np.stack([density[:, (grid >= a) & (grid < b)].sum(axis=1) for a, b in BANDS], axis=1) * grid[1]
    return 0.5 * np.log(2 * np.pi * np.e * power)


def mne_features(samples_uv: Any) -> Any:
    """mne-features' band power with Welch; its entropy would be one more line."""
    from mne_features.univariate import compute_pow_freq_bands

    edges = np.array([1.0, 4.0, 8.0, 13.0, 30.0, 45.0])
    return compute_pow_freq_bands(RATE_HZ, samples_uv, freq_bands=edges, normalize=False, psd_method="welch")


def brainflow(samples_uv: Any) -> Any:
    """BrainFlow's average band powers without its filters."""
    from brainflow.data_filter import DataFilter

    rows = list(range(len(samples_uv)))
    return DataFilter.get_custom_band_powers(samples_uv, BANDS, rows, int(RATE_HZ), False)


def ours(samples_uv: Any) -> Any:
    """One rFFT and one band matrix."""
    return differential_entropy(samples_uv, RATE_HZ)


def main() -> None:
    """Both sizes, all who are here, in one run."""
    peers: dict[str, Callable[[Any], Any]] = {"scipy.signal.welch": welch}
    for name, peer in (("mne-features", mne_features), ("BrainFlow DataFilter", brainflow)):
        try:
            peer(np.random.default_rng(0).normal(size=(4, 512)))
            peers[name] = peer
        except ImportError:
            print(f"{name} is not installed: left out")
    document: dict[str, Any] = {}
    lines = ["Processor time of one call. Target: at most 1/8 of scipy.signal.welch's.", ""]
    lines += ["| channels x samples | way | p50 | p99 | ours is |", "|---|---|---|---|---|"]
    for n_channels in (8, 32):
        samples_uv = np.random.default_rng(1).normal(size=(n_channels, 512)) * 10
        ways = {"ours": lambda x=samples_uv: ours(x)}
        ways |= {name: lambda p=peer, x=samples_uv: p(x) for name, peer in peers.items()}
        times = in_turns(ways)
        for name, row in times.items():
            row["times_ours"] = round(row["p50_us"] / times["ours"]["p50_us"], 1)
            said = "" if name == "ours" else f"{row['times_ours']} x faster"
            lines.append(
                f"| {n_channels} x 512 | {name} | {row['p50_us']} us | {row['p99_us']} us | {said} |"
            )
        document[f"{n_channels}x512"] = times
    document["filters"] = filtering(lines)
    write("inference_features", "Band features, one window", document, lines)


def filtering(lines: list[str]) -> dict[str, Any]:
    """A quarter second through resampler, filters and windows against scipy's sosfilt with its state."""
    from scipy import signal

    from inference.preprocessing.filters import CascadeFilter, band_sections

    document = {}
    lines += ["", "| filtering 1/4 s, 1-45 Hz and notch | way | p50 | p99 |", "|---|---|---|---|"]
    for n_channels in (8, 32):
        chunk = np.random.default_rng(2).normal(size=(n_channels, 32))
        sections = band_sections(RATE_HZ, 50.0)
        cascade = CascadeFilter(sections, n_channels)
        state = np.zeros((len(sections), n_channels, 2))
        front = FrontEnd(RATE_HZ, n_channels, PipelineSettings())
        times_s = np.arange(32) / RATE_HZ
        ways = {
            "ours": lambda c=cascade, x=chunk: c.process(x),
            "scipy.signal.sosfilt": lambda s=sections, x=chunk, z=state: signal.sosfilt(s, x, zi=z),
            "ours with windows cut": lambda f=front, x=chunk, t=times_s: list(f.push(x, t)),
        }
        times = in_turns(ways)
        for name, row in times.items():
            lines.append(f"| {n_channels} channels | {name} | {row['p50_us']} us | {row['p99_us']} us |")
        document[f"{n_channels}x32"] = times
    return document


if __name__ == "__main__":
    main()
