"""How long ``neuroplayer run`` takes from its start to the first state and to the first sound, and to end.

``python bench/startup.py [RUNS]`` writes bench/results/startup.json and startup.md. States are timed by
``mosquitto_sub``, the sound by reading a named pipe until a sample is not silent; the cache is warm. Three
ways take turns: a source that is named, none named and no headset there (it is looked for), and none named
beside a headset that streams over LSL (an outlet in another process). LSL is kept to a session of its own.
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

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

from acquisition.lsl.discovery import configuration  # noqa: E402
from support.peers.real_outlet import RealOutlet  # noqa: E402

RESULTS = HERE / "results"
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
WAYS = ("named", "looked for, none there", "looked for, found")
FIGURES = ("music_s", "state_s", "streaming_s", "end_s")
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


def first_states(port: int, began_s: float, found: dict[str, float]) -> None:
    """Wait for the first state, and for the first word that samples come."""
    topics = ("-t", "neuroplayer/+/emotion", "-t", "neuroplayer/+/headset")
    command = ["stdbuf", "-oL", "mosquitto_sub", "-p", str(port), "-v", *topics, "-W", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        for line in listener.stdout:
            if "/emotion " in line:
                found.setdefault("state_s", time.monotonic() - began_s)
            elif '"state":"streaming"' in line:
                found.setdefault("streaming_s", time.monotonic() - began_s)
            if {"state_s", "streaming_s"} <= set(found):
                break
        listener.kill()


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
        threading.Thread(target=first_states, args=(port, began_s, found), daemon=True),
    ]
    for listener in listeners:
        listener.start()
    command = [sys.executable, "-m", "daemon.cli", "run", "--plain", "--no-web", "--output", f"fifo:{pipe}"]
    run = subprocess.Popen(
        [*command, "--broker", f"mqtt://127.0.0.1:{port}", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until_s = time.monotonic() + 90
    while len(found) < 3 and time.monotonic() < until_s:
        time.sleep(0.01)
    time.sleep(2)
    ended_s = time.monotonic()
    run.send_signal(signal.SIGINT)
    run.wait(20)
    found["end_s"] = time.monotonic() - ended_s
    broker.terminate()
    broker.wait()
    return found


def by_turns(folder: Path, runs: int) -> dict[str, list[dict[str, float]]]:
    """Each way so many times, in turns, so that a busy moment meets all of them."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(runs):
        found[WAYS[0]].append(one_run(folder, "--source", "simulated"))
        found[WAYS[1]].append(one_run(folder))
        with RealOutlet(name="Muse"):
            found[WAYS[2]].append(one_run(folder))
    return found


def summary_of(runs: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Median and worst of each figure."""
    columns = {key: [run[key] for run in runs] for key in FIGURES}
    return {
        key: {"median": round(statistics.median(values), 2), "max": round(max(values), 2)}
        for key, values in columns.items()
    }


def main(runs: int) -> None:
    """One run to warm the cache, then those that count."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for variable in ("CACHE", "STATE"):
            os.environ[f"NEUROPLAYER_{variable}_DIR"] = str(folder / variable.lower())
        session = folder / "lsl.cfg"
        session.write_text(f"{configuration()}[lab]\nSessionID = bench-{os.getpid()}\n")
        os.environ["LSLAPICFG"] = str(session)
        one_run(folder, "--source", "simulated")
        time.sleep(20)  # the demo music is composed to its end
        found = by_turns(folder, runs)
    summary = {way: summary_of(each) for way, each in found.items()}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    report = {"runs": runs, "machine": machine, "summary": summary, "load_1min": os.getloadavg()[0]}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "startup.json").write_text(json.dumps(report | {"each": found}, indent=2) + "\n")
    rows = "\n".join(
        f"| {way} | {' | '.join(f'{summary[way][key][of]}' for key in FIGURES for of in ('median', 'max'))} |"
        for way in WAYS
    )
    (RESULTS / "startup.md").write_text(
        f"# Start and end of `neuroplayer run`\n\n{runs} runs of each way in turns, warm cache, {machine}, "
        f"load {report['load_1min']:.1f} at the end. Seconds from the start (the last two columns: from "
        "Ctrl-C), median and worst. The headset is an LSL outlet of 4 channels in another process, looked "
        "for during 0.6 s.\n\n"
        "| source | music | worst | first state | worst | samples come | worst | end | worst |\n"
        f"|{'---|' * (1 + 2 * len(FIGURES))}\n{rows}\n"
    )
    print((RESULTS / "startup.md").read_text())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
