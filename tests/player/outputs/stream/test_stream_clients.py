"""The live stream as real players hear it (ffmpeg, mpv, MPD), held against the WAV output beside it."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from player.deck import MIX_RATE_HZ
from player.outputs.http_sink import HttpSink
from player.outputs.outputs import Outputs
from player.outputs.place import Place
from player.outputs.stream.stream_encoder import CODINGS
from player.outputs.wav_sink import WavSink
from support.free_ports import a_free_port
from support.sounds.playback_rig import Sound, high_noise, make_session, tone, write_track
from support.waiting import PATIENCE_S, wait_until

PIECE = MIX_RATE_HZ // 50
"""Levels are compared over 20 ms."""
TITLE = "Ada Lovelace - Note G"

pytestmark = pytest.mark.timeout(240)


class Broadcast:
    """A WAV output and the stream beside it."""

    def __init__(self, folder: Path) -> None:
        self.place = Place("127.0.0.1", a_free_port())
        self.wav = folder / "wav.wav"
        self.sink = HttpSink(self.place)
        self.outputs = Outputs([WavSink(self.wav), self.sink])
        self.outputs.wait_ready(PATIENCE_S)
        self.outputs.set_title(TITLE)

    def address(self, kind: str) -> str:
        return f"http://{self.place}/stream.{kind}"

    def written(self) -> Sound:
        return soundfile.read(self.wav, dtype="float32")[0]


@pytest.fixture
def broadcast(tmp_path: Path) -> Iterator[Broadcast]:
    one = Broadcast(tmp_path)
    try:
        yield one
    finally:
        one.outputs.close()


def aligned(heard: Sound, written: Sound) -> tuple[Sound, Sound]:
    """Both from the same place on: encoders begin with some samples of silence of their own."""
    n_frames = len(heard) + len(written)
    spectrum = np.fft.rfft(heard[:, 0], n_frames) * np.conj(np.fft.rfft(written[:, 0], n_frames))
    shift = int(np.argmax(np.fft.irfft(spectrum, n_frames)))
    shift -= n_frames if shift >= len(heard) else 0
    heard, written = heard[max(0, shift) :], written[max(0, -shift) :]
    n_frames = min(len(heard), len(written))
    return heard[:n_frames], written[:n_frames]


def levels_db(sound: Sound) -> np.ndarray:
    pieces = sound[: len(sound) // PIECE * PIECE].reshape(-1, PIECE * 2).astype(np.float64)
    return 10 * np.log10(np.mean(np.square(pieces), axis=1) + 1e-12)


def is_the_same_music(heard: Sound, written: Sound, least_s: float) -> None:
    """Level by level, with no hole and nothing put in: fades and gaps lie where the WAV has them."""
    heard, written = aligned(heard, written)
    assert len(heard) > least_s * MIX_RATE_HZ
    loud = levels_db(written) > -60
    apart = np.abs(levels_db(heard) - levels_db(written))[loud]
    assert np.percentile(apart, 99) < 1.5, "levels"
    assert apart.max() < 6, "a hole, or a sound put in"
    n_frames = len(heard) // MIX_RATE_HZ * MIX_RATE_HZ
    for second in range(0, n_frames, MIX_RATE_HZ):  # still in step at the end
        one, other = heard[second : second + MIX_RATE_HZ, 0], written[second : second + MIX_RATE_HZ, 0]
        if np.abs(other).max() > 0.01:
            assert np.corrcoef(one, other)[0, 1] > 0.9, f"second {second // MIX_RATE_HZ}"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_what_ffmpeg_decodes_is_what_the_wav_says_crossfade_and_all(
    broadcast: Broadcast, tmp_path: Path
) -> None:
    clients = {}
    for kind in CODINGS:
        command = ("ffmpeg", "-v", "error", "-nostdin", "-i", broadcast.address(kind))
        coding = ("-ac", "2", "-ar", "48000", "-c:a", "pcm_f32le", "-f", "f32le")
        clients[kind] = subprocess.Popen(
            [*command, *coding, str(tmp_path / f"{kind}.raw")], stderr=subprocess.PIPE
        )
    wait_until(lambda: broadcast.sink.listeners == len(clients), "all listen")
    tracks = [
        write_track(tmp_path, "first", high_noise(5.0, 1), artist="A"),
        write_track(tmp_path, "second", high_noise(9.0, 2), artist="B"),
    ]
    for block in make_session(tracks, crossfade_s=2.0).blocks(9.0, 4096):
        broadcast.outputs.write(block)
    broadcast.outputs.close()
    for kind, client in clients.items():
        _, said = client.communicate(timeout=PATIENCE_S)
        assert client.returncode == 0, (kind, said)  # it complains of the end, as with any station
        heard = np.fromfile(tmp_path / f"{kind}.raw", "<f4").reshape(-1, 2)
        is_the_same_music(heard, broadcast.written(), 8.5)
        if kind == "flac":
            assert np.array_equal(heard, broadcast.written()), "sample by sample"


class _Music:
    """Noise whose level tells the time, into the outputs in real time until it is enough."""

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def _play(self) -> None:
        sound = high_noise(60.0, 3) * (1.0 + 0.5 * tone(60.0, 0.7, 1.0))
        at = 0
        while not self._over.is_set():
            self._outputs.write(sound[at : at + 4096])
            at = (at + 4096) % (len(sound) - 4096)

    def end(self) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture
def music(broadcast: Broadcast) -> Iterator[_Music]:
    one = _Music(broadcast.outputs)
    try:
        yield one
    finally:
        one.end()


@pytest.mark.skipif(shutil.which("mpv") is None, reason="needs mpv")
@pytest.mark.parametrize("kind", CODINGS)
def test_mpv_hears_the_music_and_the_title(
    broadcast: Broadcast, music: _Music, tmp_path: Path, kind: str
) -> None:
    command = ["mpv", "--no-config", "--no-video", "--really-quiet", "--ao=pcm", "--length=4"]
    options = [f"--ao-pcm-file={tmp_path / 'mpv.wav'}", "--audio-samplerate=48000", "--audio-format=float"]
    said = [
        "--msg-level=all=error",
        "--term-playing-msg=title: ${media-title}",
        "--msg-level=cplayer=info",
    ]
    done = subprocess.run(
        [*command[:3], *command[4:], *options, *said, broadcast.address(kind)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"title: {TITLE}" in done.stdout
    music.end()
    broadcast.outputs.close()
    heard = soundfile.read(tmp_path / "mpv.wav", dtype="float32", always_2d=True)[0]
    is_the_same_music(heard, broadcast.written(), 3.0)


class Mpd:
    """A real MPD that plays one address into a file."""

    def __init__(self, folder: Path) -> None:
        self._port = a_free_port()
        self.heard = folder / "mpd.wav"
        (folder / "music").mkdir()
        config = folder / "mpd.conf"
        config.write_text(
            f'music_directory "{folder}/music"\ndb_file "{folder}/mpd.db"\nstate_file "{folder}/state"\n'
            f'bind_to_address "127.0.0.1"\nport "{self._port}"\nlog_file "{folder}/mpd.log"\n'
            f'audio_output {{\n type "recorder"\n name "file"\n path "{self.heard}"\n encoder "wave"\n'
            ' format "48000:16:2"\n}\n'
        )
        self._process = subprocess.Popen(
            ["mpd", "--no-daemon", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._answers, "MPD is there")

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def ask(self, *commands: str) -> str:
        """What it says to all of them."""
        lines = "command_list_begin\n" + "\n".join(commands) + "\ncommand_list_end\n"
        with socket.create_connection(("127.0.0.1", self._port), PATIENCE_S) as connection:
            connection.sendall(lines.encode())
            with connection.makefile(encoding="utf-8") as file:
                said = [file.readline()]
                while not said[-1].startswith(("OK\n", "ACK")):
                    said.append(file.readline())
        return "".join(said)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)


@pytest.fixture
def mpd(tmp_path: Path) -> Iterator[Mpd]:
    one = Mpd(tmp_path)
    try:
        yield one
    finally:
        one.close()


@pytest.mark.skipif(shutil.which("mpd") is None, reason="needs MPD")
@pytest.mark.parametrize("kind", CODINGS)
def test_mpd_hears_the_music_and_the_title(broadcast: Broadcast, music: _Music, mpd: Mpd, kind: str) -> None:
    mpd.ask(f'add "{broadcast.address(kind)}"', "play")

    def hears() -> bool:
        said = mpd.ask("status", "currentsong")
        elapsed = re.search(r"^elapsed: ([\d.]+)", said, re.MULTILINE)
        return elapsed is not None and float(elapsed[1]) > 4 and f"Title: {TITLE}" in said

    wait_until(hears, "four seconds of the music, and its title")
    mpd.ask("stop", "clear")
    wait_until(mpd.heard.exists, "its file is whole")
    mpd.close()
    music.end()
    broadcast.outputs.close()
    data = mpd.heard.read_bytes()[44:]
    heard = np.frombuffer(data[: len(data) // 4 * 4], "<i2").reshape(-1, 2).astype(np.float32) / 32768
    is_the_same_music(heard, broadcast.written(), 3.0)
