"""The device sink against a real PulseAudio server of the test's own, heard at the monitor of its sink."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from player.deck import MIX_RATE_HZ
from player.outputs.device_sink import DeviceSink
from player.outputs.outputs import Outputs
from player.sink import SinkError
from support.sounds.playback_rig import tone
from support.waiting import PATIENCE_S, wait_until

NAME = "probe"
HERTZ = 1000
LEVEL = 0.2

pytestmark = pytest.mark.skipif(
    shutil.which("pulseaudio") is None or shutil.which("parec") is None,
    reason="needs pulseaudio and pulseaudio-utils",
)


class Server:
    """A server with one sink that goes nowhere."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)}
        script = folder / "server.pa"
        script.write_text(f"load-module module-native-protocol-unix socket={folder}/native\n")
        command = ["pulseaudio", "-n", "-F", str(script), "--daemonize=no", "--exit-idle-time=-1"]
        self._process = subprocess.Popen(
            [*command, "--use-pid-file=no", "--disable-shm=yes"],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def pactl(self, *words: str) -> str:
        command = ["pactl", "-s", f"unix:{self._folder}/native", *words]
        environment = self._environment
        until_s = time.monotonic() + PATIENCE_S
        while True:
            done = subprocess.run(
                command, check=False, env=environment, capture_output=True, text=True, timeout=PATIENCE_S
            )
            if not done.returncode:
                return done.stdout.strip()
            assert time.monotonic() < until_s, done.stderr
            time.sleep(0.1)

    def appear(self) -> str:
        """Let the sink be there; returns the number of its module."""
        return self.pactl("load-module", "module-null-sink", f"sink_name={NAME}", "rate=48000")

    @contextlib.contextmanager
    def recording(self, path: Path) -> Iterator[None]:
        """Everything that the sink is given goes into a file, from the first frame in there on."""
        command = ["parec", "-s", f"unix:{self._folder}/native", "-d", f"{NAME}.monitor", "--raw"]
        options = ("--format=float32le", "--rate=48000", "--channels=2", "--latency-msec=50")
        with path.open("wb") as file:
            recorder = subprocess.Popen([*command, *options], env=self._environment, stdout=file)
        try:
            wait_until(lambda: path.stat().st_size > 0, "the recorder hears silence")
            yield
        finally:
            end(recorder)

    def close(self) -> None:
        end(self._process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/native")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    one = Server(tmp_path)
    try:
        yield one
    finally:
        one.close()


def sounding(path: Path) -> np.ndarray:
    """Of the left side of a recording what lies between its first and its last sound."""
    data = path.read_bytes()
    heard = np.frombuffer(data[: len(data) // 8 * 8], dtype=np.float32).reshape(-1, 2)[:, 0]
    places = np.flatnonzero(np.abs(heard) > LEVEL / 10)
    return heard[places[0] : places[-1] + 1] if len(places) else heard[:0]


def recorded_tone(server: Server, path: Path) -> np.ndarray:
    """A second of a tone as the server heard it."""
    sink = DeviceSink("pulse", NAME)
    with server.recording(path):
        try:
            sink.open()
            for block in np.split(tone(1.024, HERTZ, LEVEL)[: 24 * 2048], 24):
                sink.write(block)
            wait_until(lambda: len(sounding(path)) > MIX_RATE_HZ, "a second of the tone is heard")
        finally:
            sink.close()
    return sounding(path)


def levels(body: np.ndarray) -> np.ndarray:
    """Of each millisecond, without the first and the last tenth of a second."""
    middle = body[MIX_RATE_HZ // 10 : -MIX_RATE_HZ // 10].astype(np.float64)
    return np.sqrt(np.mean(np.square(middle[: len(middle) // 48 * 48].reshape(-1, 48)), axis=1))


def test_a_tone_comes_through_the_server_whole_and_at_its_level(server: Server, tmp_path: Path) -> None:
    server.appear()
    until_s = time.monotonic() + PATIENCE_S
    body = recorded_tone(server, tmp_path / "heard")
    while levels(body).min() < LEVEL / 2 and time.monotonic() < until_s:
        # a hole may be the fault of a machine too busy to write in time: then once more
        body = recorded_tone(server, tmp_path / "heard again")
    assert levels(body).min() > LEVEL / 2
    assert MIX_RATE_HZ < len(body) < 1.05 * MIX_RATE_HZ
    assert np.median(levels(body)) == pytest.approx(LEVEL / np.sqrt(2), rel=0.02)
    middle = body[MIX_RATE_HZ // 10 : -MIX_RATE_HZ // 10].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * MIX_RATE_HZ / len(middle) == pytest.approx(HERTZ, abs=1)


def test_a_sink_that_goes_is_lost_and_one_that_returns_is_taken_up(server: Server) -> None:
    module = server.appear()
    outputs = Outputs([DeviceSink("pulse", NAME)], retry_s=0.2)
    block = tone(2048 / MIX_RATE_HZ, HERTZ, LEVEL)

    def play_until(lost: bool) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while bool(outputs.degraded) is not lost:
            assert time.monotonic() < until_s
            outputs.write(block)

    try:
        outputs.wait_ready(PATIENCE_S)
        assert not outputs.degraded
        for _ in range(10):
            outputs.write(block)
        server.pactl("unload-module", module)
        play_until(lost=True)
        server.appear()
        play_until(lost=False)
    finally:
        outputs.close()


def test_a_sink_that_is_not_there_is_named_with_those_that_are(server: Server) -> None:
    server.appear()
    with pytest.raises(SinkError, match="no sound device is called 'other'"):
        DeviceSink("pulse", "other").open()
