"""The pipe and the TCP connection against a real Snapcast server, heard by a real Snapcast client."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from player.deck import MIX_RATE_HZ
from player.outputs.output_spec import make_sink
from player.outputs.outputs import Outputs
from support.free_ports import free_ports_in_a_row
from support.sounds.playback_rig import tone
from support.waiting import PATIENCE_S, wait_until

HERTZ = 1000
LEVEL = 0.25

pytestmark = [
    pytest.mark.skipif(
        shutil.which("snapserver") is None or shutil.which("snapclient") is None,
        reason="needs snapserver and snapclient",
    ),
    pytest.mark.timeout(240),
]


class Room:
    """A server with one source and a client whose loudspeaker is a file of 16-bit frames."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_ports_in_a_row(2)
        self.source_port = self._port + 1
        self.heard = folder / "heard.raw"
        self._running: list[subprocess.Popen[bytes]] = []

    def begin(self, source: str) -> None:
        config = self._folder / "snapserver.conf"
        config.write_text(
            f"[server]\ndatadir = {self._folder}\n[http]\nenabled = false\n[tcp]\nenabled = false\n"
            f"[stream]\nbind_to_address = 127.0.0.1\nport = {self._port}\nsource = {source}\ncodec = pcm\n"
        )
        self._start("snapserver", "--config", str(config))
        client = ("--host", "127.0.0.1", "--port", str(self._port), "--instance", str(self._port))
        self._start("snapclient", *client, "--player", f"file:filename={self.heard}", "--logsink", "null")

    def _start(self, *command: str) -> None:
        with (self._folder / f"{command[0]}.log").open("wb") as log:
            self._running.append(subprocess.Popen(command, stdout=log, stderr=log))

    def sounding(self) -> np.ndarray:
        """Of what was heard all that is louder than a whisper lies in between: (n,) of the left side."""
        data = self.heard.read_bytes() if self.heard.exists() else b""
        left = np.frombuffer(data[: len(data) // 4 * 4], "<i2").reshape(-1, 2)[:, 0] / 32768
        places = np.flatnonzero(np.abs(left) > LEVEL / 10)
        return left[places[0] : places[-1] + 1] if len(places) else left[:0]

    def close(self) -> None:
        for process in reversed(self._running):
            process.terminate()
        for process in self._running:
            process.wait(PATIENCE_S)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    one = Room(tmp_path)
    try:
        yield one
    finally:
        one.close()


def _play_until(output: str, heard: Callable[[], bool]) -> None:
    """A tone without end, in real time, from before anybody listens until it was heard."""
    outputs = Outputs([make_sink(output)], retry_s=0.2)
    outputs.wait_ready(PATIENCE_S)
    over = threading.Event()
    block = tone(4800 / MIX_RATE_HZ, HERTZ, LEVEL)  # whole waves: it goes on without a step

    def play() -> None:
        while not over.is_set():
            outputs.write(block)

    player = threading.Thread(target=play)
    player.start()
    try:
        wait_until(heard, "the room hears the tone")
        assert outputs.degraded == ()
    finally:
        over.set()
        player.join()
        outputs.close()


def _is_the_tone(heard: np.ndarray) -> None:
    """A whole second of it somewhere, at its level and pitch, without a hole."""
    seconds = [heard[at : at + MIX_RATE_HZ] for at in range(0, len(heard) - MIX_RATE_HZ, MIX_RATE_HZ // 4)]
    levels = [np.sqrt(np.mean(np.square(one.reshape(-1, 480)), axis=1)) for one in seconds]
    whole = [one for one, level in zip(seconds, levels, strict=True) if level.min() > 0.98 * level.max()]
    assert whole, "no second without a hole"
    spectrum = np.abs(np.fft.rfft(whole[-1] * np.hanning(MIX_RATE_HZ)))
    assert np.argmax(spectrum) == HERTZ
    assert np.sqrt(np.mean(np.square(whole[-1]))) == pytest.approx(LEVEL / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("server_first", [True, False])
def test_a_room_hears_the_pipe(room: Room, tmp_path: Path, server_first: bool) -> None:
    pipe = tmp_path / "snapfifo"
    source = f"pipe://{pipe}?name=mood&sampleformat=48000:16:2&mode={'create' if server_first else 'read'}"
    starter = threading.Timer(0.0 if server_first else 1.0, room.begin, [source])
    if server_first:
        room.begin(source)
        wait_until(pipe.is_fifo, "the server has made its pipe")
    else:
        starter.start()
    _play_until(f"fifo:{pipe}", lambda: len(room.sounding()) > 3 * MIX_RATE_HZ)
    _is_the_tone(room.sounding())


def test_a_room_hears_a_tcp_source(room: Room) -> None:
    source = f"tcp://127.0.0.1:{room.source_port}?name=mood&sampleformat=48000:16:2&mode=server"
    room.begin(source)
    _play_until(f"tcp:127.0.0.1:{room.source_port}", lambda: len(room.sounding()) > 3 * MIX_RATE_HZ)
    _is_the_tone(room.sounding())


def test_a_server_that_is_killed_is_missed_aloud_and_heard_again_when_it_is_back(room: Room) -> None:
    source = f"tcp://127.0.0.1:{room.source_port}?name=mood&sampleformat=48000:16:2&mode=server"
    place = f"tcp:127.0.0.1:{room.source_port}"
    outputs = Outputs([make_sink(place)], retry_s=0.2)
    outputs.wait_ready(PATIENCE_S)
    block = tone(4800 / MIX_RATE_HZ, HERTZ, LEVEL)

    def goes_on_until(lost: bool) -> None:
        def step() -> bool:
            outputs.write(block)
            return bool(outputs.degraded) is lost

        wait_until(step, f"the output is {'lost' if lost else 'there'}")

    try:
        assert outputs.degraded[0].startswith("output_lost: tcp:127.0.0.1")
        room.begin(source)
        goes_on_until(lost=False)
        room.close()
        goes_on_until(lost=True)
    finally:
        outputs.close()
