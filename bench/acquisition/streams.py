"""Cost of one LSL stream, and how soon data flow again after an outlet died or hung: ours, pylsl, mne-lsl.

``python bench/acquisition/streams.py [PYTHON]``: all three read the same outlet at the same time. PYTHON is
an interpreter of an environment with ``mne-lsl`` and ``psutil`` (group ``peers``); without it mne-lsl is left
out. pylsl and mne-lsl run with liblsl's defaults, but for discovery, which is kept to this machine. Writes
bench/results/acquisition_streams.json and .md.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "bench" / "inference")]

from measuring import write  # noqa: E402

from support.peers.real_outlet import MACHINE, RealOutlet  # noqa: E402

COST_S = 40.0
WARM_S = 6.0
KILLS, HANGS = 5, 3
AWAY_S = 5.0
PATIENCE_S = 45.0


class Client:
    """A reader in its own process, and what it said."""

    def __init__(self, kind: str, python: str, name: str, environment: dict[str, str]) -> None:
        self.kind = kind
        self.lines: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [python, str(Path(__file__).with_name("client.py")), kind, name],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(json.loads(line))

    def spent(self) -> tuple[float, float]:
        """CPU seconds so far, and bytes that are only this reader's."""
        cpu_s = uss = 0.0
        own = psutil.Process(self._process.pid)
        for process in (own, *own.children(recursive=True)):
            times = process.cpu_times()
            cpu_s, uss = cpu_s + times.user + times.system, uss + process.memory_full_info().uss
        return cpu_s, uss

    def samples(self) -> int:
        """Samples so far."""
        return max((line["samples"] for line in list(self.lines) if "samples" in line), default=0)

    def back_after(self, begin_s: float) -> float | None:
        """When samples came again after ``begin_s``."""
        return next((x["back_s"] for x in list(self.lines) if x.get("back_s", 0) > begin_s), None)

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def costs(clients: list[Client]) -> dict[str, dict[str, float]]:
    """CPU of the wall time, and memory, of each reader with its children, looked at from outside."""
    begin_s, before = time.monotonic(), {client.kind: client.spent() for client in clients}
    time.sleep(COST_S)
    span_s, after = time.monotonic() - begin_s, {client.kind: client.spent() for client in clients}
    return {
        kind: {
            "cpu_percent_of_a_core": round(100 * (after[kind][0] - before[kind][0]) / span_s, 2),
            "uss_mb": round(after[kind][1] / 1e6, 1),
        }
        for kind in after
    }


def returns(clients: list[Client], outlet: RealOutlet, *, hang: bool) -> dict[str, float | None]:
    """Kill or stop the outlet, bring another, and wait for everybody."""
    old = None
    if hang:
        outlet.signal(signal.SIGSTOP)
        old, outlet.process = outlet.process, None
    else:
        outlet.stop()
    time.sleep(AWAY_S)
    outlet.start()
    began_s = time.monotonic()
    while time.monotonic() - began_s < PATIENCE_S:
        if all(client.back_after(began_s - 0.5) for client in clients):
            break
        time.sleep(0.1)
    if old is not None:
        old.kill()
        old.wait()
    found = {client.kind: client.back_after(began_s - 0.5) for client in clients}
    time.sleep(2.0)
    return {kind: None if at is None else round(max(0.0, at - began_s), 2) for kind, at in found.items()}


def median(values: list[float | None]) -> float | None:
    """The median; None where it never came back in most tries."""
    known = [PATIENCE_S if value is None else value for value in values]
    middle = statistics.median(known)
    return None if middle >= PATIENCE_S else middle


def measure(peers: str | None) -> dict[str, Any]:
    """Everything in one run on one outlet."""
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as config, RealOutlet() as outlet:
        config.write(MACHINE)
        config.flush()
        plain = {key: value for key, value in os.environ.items() if key != "LSLAPICFG"}
        told = {**plain, "LSLAPICFG": config.name}
        clients = [
            Client("ours", sys.executable, outlet.name, plain),
            Client("pylsl", sys.executable, outlet.name, told),
        ]
        if peers:
            clients.append(Client("mne-lsl", peers, outlet.name, told))
        try:
            until_s = time.monotonic() + 60
            while time.monotonic() < until_s and not all(client.samples() for client in clients):
                time.sleep(0.2)
            time.sleep(WARM_S)
            cost = costs(clients)
            killed = [returns(clients, outlet, hang=False) for _ in range(KILLS)]
            hung = [returns(clients, outlet, hang=True) for _ in range(HANGS)]
        finally:
            for client in clients:
                client.stop()
    kinds = [client.kind for client in clients]
    return {
        "stream": {"channels": 4, "rate_hz": 256.0, "seconds": COST_S},
        "cost": cost,
        "killed_s": {kind: [turn[kind] for turn in killed] for kind in kinds},
        "hung_s": {kind: [turn[kind] for turn in hung] for kind in kinds},
        "killed_median_s": {kind: median([turn[kind] for turn in killed]) for kind in kinds},
        "hung_median_s": {kind: median([turn[kind] for turn in hung]) for kind in kinds},
    }


def lines(result: dict[str, Any]) -> list[str]:
    """The results as a table."""
    rows = []
    for kind, found in result["cost"].items():
        times = [result["killed_median_s"][kind], result["hung_median_s"][kind]]
        told = [f"over {PATIENCE_S:.0f}" if value is None else f"{value:.2f}" for value in times]
        cells = [kind, found["cpu_percent_of_a_core"], found["uss_mb"], *told]
        rows.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    stream = result["stream"]
    ours, pylsl = result["cost"]["ours"], result["cost"]["pylsl"]
    ratio = ours["cpu_percent_of_a_core"] / max(pylsl["cpu_percent_of_a_core"], 0.01)
    return [
        f"{stream['channels']} channels at {stream['rate_hz']:g} Hz; all readers on one outlet at once, ours",
        "looking every 62 ms, the others every 50. Memory is what is unique to the process and its",
        "children. Ours is the whole loop: a child process for liblsl, the timeline, stall detection.",
        "Recovery is the median",
        "time from the new outlet being up to the first new sample, after the old one was killed, and",
        "after it hung with its socket open; pylsl and mne-lsl with liblsl's defaults.",
        "",
        "| reader | CPU, % of a core | memory, MB | after a kill, s | after a hang, s |",
        "|---|---|---|---|---|",
        *rows,
        "",
        f"CPU of ours against pylsl alone: {ratio:.1f} times.",
    ]


if __name__ == "__main__":
    found = measure(sys.argv[1] if len(sys.argv) > 1 else None)
    write("acquisition_streams", "One LSL stream", found, lines(found))
