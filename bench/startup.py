"""How long ``neuroplayer run`` takes from its start to the first state and to the first sound, and to end.

``python bench/startup.py [RUNS]`` writes bench/results/startup.json and startup.md. The state is timed by
``mosquitto_sub``, the sound by reading a named pipe until a sample is not silent; the cache is warm.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
LOUD = 30
"""Of 32768: quieter samples are dither and the beginning of the fade-in."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def first_sound(pipe: Path, began_s: float, found: dict[str, float]) -> None:
    """Read the pipe until something can be heard."""
    with pipe.open("rb", buffering=0) as stream:
        while block := stream.read(4096):
            samples = memoryview(block[: len(block) // 2 * 2]).cast("h")
            if "music_s" not in found and max(map(abs, samples)) > LOUD:
                found["music_s"] = time.monotonic() - began_s


def first_state(port: int, began_s: float, found: dict[str, float]) -> None:
    """Wait for the first settled state."""
    command = ["mosquitto_sub", "-p", str(port), "-t", "neuroplayer/+/emotion", "-C", "1"]
    subprocess.run(command, capture_output=True, check=False, timeout=30)
    found["state_s"] = time.monotonic() - began_s


def one_run(folder: Path, *options: str) -> dict[str, float]:
    """Start, listen, end."""
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
    broker = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)
    pipe = folder / "sound"
    if not pipe.exists():
        os.mkfifo(pipe)
    time.sleep(0.5)
    found: dict[str, float] = {}
    began_s = time.monotonic()
    listeners = [
        threading.Thread(target=first_sound, args=(pipe, began_s, found), daemon=True),
        threading.Thread(target=first_state, args=(port, began_s, found), daemon=True),
    ]
    for listener in listeners:
        listener.start()
    command = [sys.executable, "-m", "daemon.cli", "run", "--plain", "--no-web", "--output", f"fifo:{pipe}"]
    run = subprocess.Popen(
        [*command, "--source", "simulated", "--broker", f"mqtt://127.0.0.1:{port}", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until_s = time.monotonic() + 30
    while len(found) < 2 and time.monotonic() < until_s:
        time.sleep(0.01)
    time.sleep(2)
    ended_s = time.monotonic()
    run.send_signal(signal.SIGINT)
    run.wait(20)
    found["end_s"] = time.monotonic() - ended_s
    broker.terminate()
    broker.wait()
    return found


def main(runs: int) -> None:
    """One run to warm the cache, then those that count."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for variable in ("CACHE", "STATE"):
            os.environ[f"NEUROPLAYER_{variable}_DIR"] = str(folder / variable.lower())
        one_run(folder)
        time.sleep(20)  # the demo music is composed to its end
        found = [one_run(folder) for _ in range(runs)]
    summary = {
        key: {
            "median": round(statistics.median(run[key] for run in found), 2),
            "max": round(max(run[key] for run in found), 2),
        }
        for key in ("state_s", "music_s", "end_s")
    }
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    report = {"runs": runs, "machine": machine, "summary": summary, "load_1min": os.getloadavg()[0]}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "startup.json").write_text(json.dumps(report | {"each": found}, indent=2) + "\n")
    rows = "\n".join(f"| {key} | {value['median']} | {value['max']} |" for key, value in summary.items())
    (RESULTS / "startup.md").write_text(
        f"# Start and end of `neuroplayer run`\n\n{runs} runs, warm cache, {machine}, "
        f"load {report['load_1min']:.1f}.\n\n| seconds | median | max |\n|---|---|---|\n{rows}\n"
    )
    print((RESULTS / "startup.md").read_text())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
