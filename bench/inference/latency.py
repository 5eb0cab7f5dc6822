"""From the last sample of a window to an MQTT subscriber: one session, and a hundred in one process.

``python bench/inference/latency.py [SECONDS]``; writes to bench/results/. It is ``neuroplayer bench latency``
run twice; broker and subscriber are processes of their own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]

from measuring import write  # noqa: E402

TARGET_MS = {"p50": 5.0, "p99": 50.0}
TOTAL = "last sample to subscriber"


def measure(sessions: int, seconds: float) -> dict[str, Any]:
    """One run of the command."""
    command = [sys.executable, "-m", "daemon.cli", "bench", "latency", "--json"]
    command += ["--sessions", str(sessions), "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    """Both, in one table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 40.0
    document = {"1": measure(1, seconds), "100": measure(100, seconds / 2)}
    target = f"median {TARGET_MS['p50']:g} ms, 99th percentile {TARGET_MS['p99']:g} ms"
    lines = [
        f"Target for `{TOTAL}`: {target}. Read by {document['1']['model']}.",
        "",
        "| stage, p50 / p99 ms | one session | 100 sessions |",
        "|---|---|---|",
    ]
    for stage in document["1"]["ms"]:
        cells = [document[n]["ms"].get(stage, {"p50": "", "p99": ""}) for n in ("1", "100")]
        lines.append(f"| {stage} | " + " | ".join(f"{c['p50']} / {c['p99']}" for c in cells) + " |")
    shares = [f"{100 * document[n]['cpu_share']:.0f} %" for n in ("1", "100")]
    lines.append(f"| CPU of the engine process, share of a core | {' | '.join(shares)} |")
    lines.append(f"| windows heard / lost | {' | '.join(_counts(document[n]) for n in ('1', '100'))} |")
    write("inference_latency", "Latency by stage", document, lines)


def _counts(figures: dict[str, Any]) -> str:
    return f"{figures['windows']} / {figures['lost']}"


if __name__ == "__main__":
    main()
