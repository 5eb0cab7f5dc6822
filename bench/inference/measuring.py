"""Times several ways of doing the same thing in turns, so that a busy moment falls on all of them."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results"


def one_core() -> None:
    """Keep this process on one core, where the system lets it."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})


def in_turns(
    ways: Mapping[str, Callable[[], Any]], rounds: int = 150, calls: int = 20
) -> dict[str, dict[str, float]]:
    """Microseconds of processor time a call of each way takes: median and 99th percentile over rounds of
    ``calls`` calls each. Wall-clock time would favour the short on a busy machine: the long are interrupted.
    """
    times: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        for _ in range(5):
            way()
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.thread_time()
            for _ in range(calls):
                way()
            times[name].append(1e6 * (time.thread_time() - began) / calls)
    return {
        name: {"p50_us": round(statistics.median(t), 1), "p99_us": round(percentile(t, 99), 1)}
        for name, t in times.items()
    }


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` percent lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


def machine() -> dict[str, Any]:
    """Where the figures come from. The load says how far to trust absolute times."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def write(name: str, title: str, document: Mapping[str, Any], lines: list[str]) -> None:
    """The figures as JSON, and the same for a reader."""
    RESULTS.mkdir(exist_ok=True)
    whole = {"machine": machine(), **document}
    (RESULTS / f"{name}.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    info = machine()
    foot = (
        f"Python {info['python']}, {info['system']}, {info['cores']} cores shared with other work "
        f"(load {info['load_1min']}): trust the ratios more than the times."
    )
    text = "\n".join([f"# {title}", "", *lines, "", foot, ""])
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)
