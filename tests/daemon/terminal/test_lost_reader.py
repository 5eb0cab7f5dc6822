"""Printing to a reader that is gone changes neither the exit status nor anything else."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import termios
from pathlib import Path

import psutil
import pytest

from daemon.terminal.printing import printed
from support.peers.real_broker import RealBroker
from support.running_product import MosquittoSub
from support.waiting import PATIENCE_S, wait_until

CODE = """
import sys
from daemon.terminal.printing import printed
sys.stdin.readline()
said = [printed("x" * 100, sys.stderr), printed("y", sys.stderr), printed("z", sys.stdout)]
sys.exit(sum(said) << 1)
"""


def test_a_reader_that_is_gone_is_noticed_once_and_changes_no_status() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", CODE], input="", stdout=subprocess.PIPE, stderr=write, text=True, check=False
    )
    os.close(write)
    assert done.returncode == 4, "the second line led nowhere, the third was read"
    assert done.stdout == "z\n"


def test_what_a_terminal_cannot_show_is_replaced() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    assert printed("Bj\u00f6rk \u2192 \u266b", stream)
    assert stream.buffer.getvalue().decode("latin-1") == "Bj\u00f6rk ? ?\n"  # type: ignore[attr-defined]


@pytest.mark.broker
def test_the_music_goes_on_when_nobody_reads_the_view(broker: RealBroker, ear: MosquittoSub) -> None:
    command = [sys.executable, "-m", "daemon.cli", "run", "--json", "--no-web", "--output", "null"]
    command += ["--source", "simulated", "--baseline", "none", "--broker", f"mqtt://127.0.0.1:{broker.port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout is not None
            assert run.stderr is not None
            assert run.stdout.readline().startswith("{")
            run.stdout.close()
            family = psutil.Process(run.pid)
            wait_until(lambda: "view" not in _roles(family), "the view has ended")
            heard = len(ear.on("estimate"))
            wait_until(lambda: len(ear.on("estimate")) > heard + 3, "the engine reads on")
            assert _roles(family) == {"player", "engine"}
            run.send_signal(signal.SIGINT)
            said = run.stderr.read()
            assert run.wait(PATIENCE_S) == 0, said
        finally:
            run.kill()
    assert said == ""


def _roles(family: psutil.Process) -> set[str]:
    found = set()
    for child in family.children():
        with contextlib.suppress(psutil.NoSuchProcess):
            found |= {child.cmdline()[-1]} if "daemon.child" in child.cmdline() else set()
    return found


@pytest.mark.broker
@pytest.mark.skipif(shutil.which("setsid") is None, reason="needs util-linux")
def test_a_terminal_that_is_closed_ends_the_session(broker: RealBroker, ear: MosquittoSub) -> None:
    command = ["setsid", "--ctty", sys.executable, "-m", "daemon.cli", "run", "--no-web", "--output", "null"]
    command += ["--source", "simulated", "--baseline", "none", "--broker", f"mqtt://127.0.0.1:{broker.port}"]
    screen, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (40, 120))
    environment = os.environ | {"TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=subprocess.PIPE, text=True, env=environment
    ) as run:
        try:
            os.close(terminal)
            shown = b""
            while b"SIMULATED WEARER" not in shown or not ear.on("player/availability"):
                shown += os.read(screen, 4096)
            os.close(screen)
            assert run.wait(PATIENCE_S) == 0
            assert run.stderr is not None
            assert run.stderr.read() == ""
        finally:
            run.kill()
    wait_until(
        lambda: [heard.payload for heard in ear.on("player/availability")][-1:] == ["offline"],
        "an end in order",
    )
    assert (
        "Traceback"
        not in (Path(os.environ["NEUROPLAYER_STATE_DIR"]) / "wearers/home/neuroplayer.log").read_text()
    )
