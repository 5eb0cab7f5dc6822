"""The long versions of two faults: fifty ends at random moments (F44), and a thousand reconnects (F43).

``python bench/endurance.py [--ends 50] [--reconnects 1000] [--drivers 100]``; writes endurance.json and .md
into bench/results. The product is asked to end by SIGTERM while it starts, plays, fades and records.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import platform
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
from acquisition.isolation.isolated_source import IsolatedSource  # noqa: E402
from acquisition.stream.feed_settings import FeedSettings  # noqa: E402
from support.peers.fake_drivers import FakeDriver  # noqa: E402
from support.peers.real_broker import RealBroker  # noqa: E402
from support.peers.reconnecting import reconnect_link  # noqa: E402
from support.recordings.feed_watch import FeedWatch  # noqa: E402

RUN = (
    "run",
    "--output",
    "null",
    "--no-web",
    "--plain",
    "--baseline",
    "none",
    "--source",
    "simulated",
    "--record",
)
LATEST_S = 8.0
"""The last random moment after the start."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def one_end(broker: str, after_s: float, *, skip: bool) -> dict[str, Any]:
    """Start, skip a track so that a fade goes on, end, look what is left."""
    command = [sys.executable, "-m", "daemon.cli", *RUN, "--broker", broker]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(after_s)
    if skip:
        port = broker.rpartition(":")[2]
        subprocess.run(
            ["mosquitto_pub", "-p", port, "-t", "neuroplayer/home/cmd/skip", "-m", "{}"], check=True
        )
        time.sleep(0.3)
    children = psutil.Process(process.pid).children(recursive=True)
    asked_s = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    took_s = time.monotonic() - asked_s
    return {
        "after_s": round(after_s, 2),
        "took_s": round(took_s, 3),
        "status": process.returncode,
        "begun": bool(children),
        "left": sum(_lives(child) for child in children),
        "tracebacks": errors.count("Traceback"),
    }


def ends(times: int, folder: Path, port: int) -> dict[str, Any]:
    """SIGTERM at random moments, with a recording and often a fade going on."""
    rng = random.Random(44)  # noqa: S311 - moments, no secret
    broker = f"mqtt://127.0.0.1:{port}"
    each = [one_end(broker, rng.uniform(0.2, LATEST_S), skip=number % 2 == 1) for number in range(times)]
    recordings = folder / "state" / "wearers" / "home" / "recordings"
    said = subprocess.run(
        ["mosquitto_sub", "-p", str(port), "-t", "neuroplayer/home/+/availability", "-v", "-W", "2"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    took_s = [one["took_s"] for one in each]
    orderly = [one for one in each if one["status"] == 0 or (one["status"] == -15 and not one["begun"])]
    return {
        "times": times,
        "orderly": len(orderly),
        "took_median_s": round(statistics.median(took_s), 2),
        "took_max_s": max(took_s),
        "processes_left": sum(one["left"] for one in each),
        "tracebacks": sum(one["tracebacks"] for one in each),
        "availability_at_the_end": sorted(set(said[1::2])),
        "recordings": len(list(recordings.glob("*.xdf"))),
        "recordings_not_closed": len(list(recordings.glob("*.part"))),
        "each": each,
    }


async def drivers(times: int, folder: Path) -> dict[str, Any]:
    """A driver's process that crashes a moment after each start."""
    diary = folder / "diary"
    make = partial(IsolatedSource, partial(FakeDriver, diary, "crash", 0.05, times))
    me = psutil.Process()

    def now() -> dict[str, Any]:
        return {
            "threads": me.num_threads(),
            "descriptors": me.num_fds(),
            "rss_mb": me.memory_info().rss / 1e6,
        }

    async with FeedWatch(make, FeedSettings(backoff_s=(0.01,))) as watch:
        await watch.until_data()
        first = now()
        while len(diary.read_text().split()) <= times:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.1)
        await watch.until_data()
        last = now()
        alive = sum(psutil.pid_exists(int(pid)) for pid in diary.read_text().split())
    return {"times": times, "first": first, "last": last, "processes_left": alive - 1}


def _words(found: dict[str, Any]) -> str:
    end, link, driver = found["ends"], found["link"], found["driver"]
    rows = [
        ("SIGTERM at random moments, half of them in a fade", str(end["times"]), ""),
        ("ended in order", f"{end['orderly']}", f"{end['times']}"),
        ("time to end, median and longest", f"{end['took_median_s']} s, {end['took_max_s']} s", "5 s"),
        ("processes left, tracebacks", f"{end['processes_left']}, {end['tracebacks']}", "0, 0"),
        ("availability at the end", ", ".join(end["availability_at_the_end"]), "offline"),
        ("recordings closed, not closed", f"{end['recordings']}, {end['recordings_not_closed']}", "all, 0"),
        ("connections reset", str(link["times"]), ""),
        ("descriptors, first to last", f"{link['descriptors'][0]} to {link['descriptors'][-1]}", "no more"),
        ("threads, first to last", f"{link['threads'][0]} to {link['threads'][-1]}", "no more"),
        ("tasks, first to last", f"{link['tasks'][0]} to {link['tasks'][-1]}", "no more"),
        ("memory, each fifth, MB", ", ".join(f"{one:.0f}" for one in link["rss_mb"]), "flat"),
        ("a message afterwards is heard", "once" if link["heard_once"] else "NOT once", "once"),
        ("driver's process crashed", str(driver["times"]), ""),
    ]
    rows += [
        (f"{name}, first to last", f"{driver['first'][name]:.0f} to {driver['last'][name]:.0f}", "no more")
        for name in ("descriptors", "threads")
    ]
    rows += [
        (
            "memory, first to last, MB",
            f"{driver['first']['rss_mb']:.0f} to {driver['last']['rss_mb']:.0f}",
            "flat",
        )
    ]
    rows += [("processes left", str(driver["processes_left"]), "0")]
    lines = [f"| {what} | {figure} | {target} |" for what, figure, target in rows]
    head = [
        "# Ends at random moments, and reconnects",
        "",
        found["machine"],
        "",
        "| what | figure | target |",
    ]
    return "\n".join([*head, "|---|---|---|", *lines, ""])


def main() -> None:
    """Measure, write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, often in (("--ends", 50), ("--reconnects", 1000), ("--drivers", 100)):
        parser.add_argument(name, type=int, default=often)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)  # each lost connection is told, as it should be
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), _free_port()
        os.environ |= {
            "NEUROPLAYER_STATE_DIR": str(folder / "state"),
            "NEUROPLAYER_CACHE_DIR": str(folder / "cache"),
            "NEUROPLAYER_CONFIG": str(folder / "none.toml"),
        }
        broker = RealBroker(folder, port)
        broker.start()
        load = os.getloadavg()[0]
        try:
            link = asyncio.run(reconnect_link(port, asked.reconnects, max(1, asked.reconnects // 5)))
            found = {
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, "
                f"Python {platform.python_version()}, load {load:.1f}.",
                "link": {"times": asked.reconnects, **vars(link)},
                "driver": asyncio.run(drivers(asked.drivers, folder)),
                "ends": ends(asked.ends, folder, port),
            }
        finally:
            broker.stop()
    out = ROOT / "bench" / "results" / "endurance"
    out.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")
    out.with_suffix(".md").write_text(_words(found))
    print(_words(found))


if __name__ == "__main__":
    main()
