"""Where the sound goes: files, pipes, devices, and several of them at once."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from player.deck import MIX_RATE_HZ, PcmBlock
from player.decks.av_deck import PullDeck
from player.mixing.mixer import Mixer
from player.outputs import device_sink
from player.outputs.device_sink import READY_S, DeviceSink
from player.outputs.fifo_sink import FifoSink
from player.outputs.frame_line import UNTAKEN_S, to_16_bit
from player.outputs.output_spec import OutputError, make_sink, split_outputs
from player.outputs.outputs import Outputs
from player.outputs.wav_sink import BYTES_A_FRAME, HEADER_BYTES, WavSink, wav_header
from player.playback.audio_loop import AudioLoop
from player.playback.playback import DeckCloser
from player.sink import LEAD_S, NullSink, Pacer, SinkError
from support.sounds.playback_rig import open_plain, tone
from support.waiting import PATIENCE_S, wait_until

BLOCK = tone(1024 / MIX_RATE_HZ, 440)


def test_a_wav_file_holds_the_samples_to_24_bits(tmp_path: Path) -> None:
    sound = tone(2.0, 440, level=0.9)
    sink = WavSink(tmp_path / "out.wav")
    sink.open()
    for at in range(0, len(sound), 1000):
        sink.write(sound[at : at + 1000])
    sink.close()
    sink.close()
    read, rate_hz = soundfile.read(tmp_path / "out.wav")
    assert rate_hz == MIX_RATE_HZ
    assert np.abs(read - sound).max() < 1 / 2**23


def test_a_wav_file_can_be_read_while_it_grows(tmp_path: Path) -> None:
    sink = WavSink(tmp_path / "out.wav")
    sink.open()
    for _ in range(6 * MIX_RATE_HZ // 1024):
        sink.write(BLOCK)
    assert len(soundfile.read(tmp_path / "out.wav")[0]) >= 5 * MIX_RATE_HZ
    sink.close()


def test_past_4_gib_the_header_becomes_rf64() -> None:
    small, large = wav_header(1000), wav_header(1_000_000_000)
    assert len(small) == len(large) == HEADER_BYTES
    assert small[:4] == b"RIFF"
    assert struct.unpack("<I", small[76:80]) == (1000 * BYTES_A_FRAME,)
    assert large[:4] == b"RF64"
    riff_bytes, data_bytes, n_frames = struct.unpack("<QQQ", large[20:44])
    assert (riff_bytes, data_bytes, n_frames) == (72 + 6_000_000_000, 6_000_000_000, 1_000_000_000)


def test_a_full_disk_is_one_line() -> None:
    sink = WavSink(Path("/dev/full"))
    with pytest.raises(SinkError, match="/dev/full: cannot be written"):
        sink.open()
    with pytest.raises(SinkError, match="cannot be finished"):
        sink.close()


def test_after_a_loss_a_wav_file_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    sink = WavSink(tmp_path / "out.wav")
    sink.open()
    sink.write(BLOCK)
    sink.close()
    sink.open()
    sink.write(BLOCK)
    sink.close()
    read, _ = soundfile.read(tmp_path / "out.wav")
    assert np.abs(read - np.tile(BLOCK, (2, 1))).max() < 1 / 2**23


def test_a_pipe_carries_16_bit_frames_to_whoever_reads(tmp_path: Path) -> None:
    sink = FifoSink(tmp_path / "snap")
    sink.open()
    reader = os.open(tmp_path / "snap", os.O_RDONLY | os.O_NONBLOCK)
    sink.write(BLOCK)
    sink.write(BLOCK)
    data = os.read(reader, 1 << 16)
    assert len(data) == 2 * len(BLOCK) * 4
    heard = np.frombuffer(data, "<i2").reshape(-1, 2)[: len(BLOCK)] / 32767
    assert np.abs(heard - BLOCK).max() < 3 / 32768
    os.close(reader)
    sink.close()


def test_who_looks_into_the_pipe_before_anything_plays_finds_a_writer_there(tmp_path: Path) -> None:
    """A Snapcast server that reads the end of the file closes the pipe, and was never met again."""
    sink = FifoSink(tmp_path / "snap")
    sink.open()
    reader = os.open(tmp_path / "snap", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):  # and not b"", the end
        os.read(reader, 4)
    os.close(reader)
    sink.write(BLOCK)
    sink.close()


def test_that_nobody_reads_a_pipe_is_said_and_who_comes_late_hears_what_is_new(tmp_path: Path) -> None:
    sink = FifoSink(tmp_path / "snap")
    outputs = Outputs([sink])
    outputs.wait_ready(PATIENCE_S)
    for _ in range(int(UNTAKEN_S * MIX_RATE_HZ / len(BLOCK)) + 60):
        outputs.write(np.full((1024, 2), 0.25, np.float32))
    assert outputs.degraded == (f"output_unheard: {tmp_path / 'snap'}: nobody reads this pipe",)
    assert sink.dropped_frames > UNTAKEN_S * MIX_RATE_HZ / 2
    reader = os.open(tmp_path / "snap", os.O_RDONLY | os.O_NONBLOCK)
    lay_there = os.read(reader, 1 << 20)
    outputs.write(BLOCK)
    assert outputs.degraded == ()
    assert len(lay_there) // 4 < MIX_RATE_HZ / 2
    frames = np.frombuffer(lay_there + os.read(reader, 1 << 20), "<i2").reshape(-1, 2)
    assert np.abs(frames[-len(BLOCK) :] / 32767 - BLOCK).max() < 3 / 32768
    os.close(reader)
    outputs.close()


def test_a_pipe_that_was_made_anew_is_taken_up(tmp_path: Path) -> None:
    outputs = Outputs([FifoSink(tmp_path / "snap")], retry_s=0.05)
    outputs.wait_ready(PATIENCE_S)
    (tmp_path / "snap").unlink()
    os.mkfifo(tmp_path / "snap")
    reader = os.open(tmp_path / "snap", os.O_RDONLY | os.O_NONBLOCK)
    heard = b""
    until_s = time.monotonic() + PATIENCE_S
    while not heard and time.monotonic() < until_s:
        outputs.write(BLOCK)
        with contextlib.suppress(BlockingIOError):
            heard = os.read(reader, 4096)
    assert heard
    os.close(reader)
    outputs.close()


def test_a_slow_reader_loses_whole_frames_and_never_holds_the_music_up(tmp_path: Path) -> None:
    sink = FifoSink(tmp_path / "snap")
    sink.open()
    reader = os.open(tmp_path / "snap", os.O_RDONLY | os.O_NONBLOCK)
    for _ in range(200):
        sink.write(np.full((1024, 2), [0.5, -0.5], dtype=np.float32))
    assert sink.dropped_frames > 0
    data = b""
    for _ in range(50):
        try:
            data += os.read(reader, 1 << 16)
        except BlockingIOError:
            break
        sink.write(np.full((1024, 2), [0.5, -0.5], dtype=np.float32))
    frames = np.frombuffer(data[: len(data) // 4 * 4], "<i2").reshape(-1, 2)
    assert (frames[:, 0] > 0).all()
    assert (frames[:, 1] < 0).all()
    os.close(reader)
    sink.close()


def test_what_is_no_pipe_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("keep me")
    with pytest.raises(SinkError, match="no named pipe"):
        FifoSink(tmp_path / "precious.txt").open()
    assert (tmp_path / "precious.txt").read_text() == "keep me"


def test_dither_is_triangular_and_small() -> None:
    silence = np.zeros((48_000, 2), np.float32)
    values = np.frombuffer(to_16_bit(silence, np.random.default_rng(1)), "<i2")
    assert set(np.unique(values)) == {-1, 0, 1}
    assert abs(float(values.mean())) < 0.02


def test_the_pacer_lets_frames_through_in_real_time() -> None:
    now = [0.0]
    pacer = Pacer(lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    for _ in range(470):
        pacer.wait(1024)
    assert now[0] == pytest.approx(470 * 1024 / MIX_RATE_HZ - LEAD_S, abs=0.03)
    now[0] += 600  # the machine slept
    before = now[0]
    for _ in range(47):
        pacer.wait(1024)
    assert now[0] - before == pytest.approx(1.0 - LEAD_S, abs=0.05)


class FlakySink(NullSink):
    """A device that is there when ``present`` says so."""

    name = "flaky"
    paces = True

    def __init__(self) -> None:
        self.present = True
        self.blocks: list[PcmBlock] = []
        self.opened = 0

    def open(self) -> None:
        if not self.present:
            raise SinkError("it is not plugged in")
        self.opened += 1

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        if not self.present:
            raise SinkError("it was pulled out")
        self.blocks.append(block)
        time.sleep(0.002)


def test_a_device_that_goes_is_missed_aloud_and_taken_back_when_it_returns() -> None:
    device, other = FlakySink(), FlakySink()
    outputs = Outputs([device, other], retry_s=0.05)
    outputs.wait_ready(PATIENCE_S)
    outputs.write(BLOCK)
    assert outputs.degraded == ()
    device.present = False
    outputs.write(BLOCK)
    wait_until(lambda: "not plugged in" in "".join(outputs.degraded))
    assert outputs.degraded[0].startswith("no_audio_device")
    outputs.write(BLOCK)
    assert len(other.blocks) == 3
    device.present = True
    wait_until(lambda: outputs.degraded == ())
    outputs.write(BLOCK)
    assert device.opened == 2
    assert len(device.blocks) == 2
    outputs.close()


class BrokenSink(FlakySink):
    """Its driver raises what nobody foresaw."""

    def open(self) -> None:
        if not self.present:
            raise RuntimeError("a fault of the driver")
        super().open()

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        if not self.present:
            raise ZeroDivisionError("a fault of the driver")
        super().write(block, wait)


def test_a_driver_that_raises_what_nobody_foresaw_is_an_output_lost() -> None:
    broken, other = BrokenSink(), FlakySink()
    outputs = Outputs([broken, other], retry_s=0.05)
    outputs.wait_ready(PATIENCE_S)
    broken.present = False
    outputs.write(BLOCK)
    wait_until(lambda: "flaky: RuntimeError: a fault of the driver" in "".join(outputs.degraded))
    outputs.write(BLOCK)
    assert len(other.blocks) == 2
    broken.present = True
    wait_until(lambda: outputs.degraded == ())
    outputs.write(BLOCK)
    assert len(broken.blocks) == 1
    outputs.close()


def test_the_thread_that_renders_outlives_a_block_that_cannot_be_rendered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class StumblingMixer(Mixer):
        stumbles = 3

        def render(self, n_frames: int) -> PcmBlock:
            if self.stumbles:
                self.stumbles -= 1
                raise IndexError("nobody foresaw this")
            return super().render(n_frames)

    sink = FlakySink()
    outputs = Outputs([sink])
    outputs.wait_ready(PATIENCE_S)
    loop = AudioLoop(StumblingMixer(), outputs)
    loop.start()
    wait_until(lambda: len(sink.blocks) > 3)
    loop.stop()
    outputs.close()
    assert [record.message for record in caplog.records].count("a block was lost") == 3


def test_decks_are_closed_after_one_that_cannot_be(caplog: pytest.LogCaptureFixture) -> None:
    closed: list[str] = []

    class Closing(PullDeck):
        def __init__(self, name: str) -> None:
            super().__init__(open_plain)
            self.name = name

        def close(self) -> None:
            if self.name == "bad":
                raise ValueError("cannot be closed")
            closed.append(self.name)

    closer = DeckCloser()
    for name in ("bad", "good"):
        closer(Closing(name))
    closer.close(PATIENCE_S)
    assert closed == ["good"]
    assert "a decoder could not be closed" in caplog.text


def test_without_any_device_a_clock_keeps_real_time() -> None:
    device = FlakySink()
    device.present = False
    outputs = Outputs([device], retry_s=60)
    outputs.wait_ready(PATIENCE_S)
    began = time.monotonic()
    for _ in range(40):
        outputs.write(BLOCK)
    assert time.monotonic() - began > 40 * len(BLOCK) / MIX_RATE_HZ - LEAD_S - 0.1
    outputs.close()


class HangingSink(NullSink):
    """An output whose opening takes until somebody lets go."""

    paces = True
    name = "hanging"

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.heard: list[str] = []

    def open(self) -> None:
        self.heard.append("open")
        self.let_go.wait()
        self.heard.append("opened")

    def close(self) -> None:
        self.heard.append("close")


def test_an_output_that_hangs_makes_nothing_late_and_is_closed_once_it_goes_on() -> None:
    sink = HangingSink()
    outputs = Outputs([sink], retry_s=60)
    wait_until(lambda: "open" in sink.heard)
    outputs.wait_ready(0.1)
    outputs.write(BLOCK)
    outputs.close()
    assert sink.heard == ["close", "open"], "nobody waits for it"
    sink.let_go.set()
    wait_until(lambda: sink.heard == ["close", "open", "opened", "close"], "it is not left open")


def test_a_process_that_stood_still_does_not_take_its_device_to_be_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sink = DeviceSink("none")
    sink.open()
    sink.write(BLOCK)
    now = time.monotonic
    monkeypatch.setattr(device_sink.time, "monotonic", lambda: now() + 60)
    sink.write(BLOCK)  # it has asked for nothing for a minute, and had no chance to
    sink.close()


def test_a_real_device_thread_hears_what_is_written() -> None:
    sink = DeviceSink("none")
    sink.open()
    began = time.monotonic()
    for _ in range(60):
        sink.write(BLOCK)
    # 1.28 s of sound through a ring of 250 ms and one period ahead
    assert time.monotonic() - began > 0.7
    sink.write(np.tile(BLOCK, (60, 1)), wait=False)
    assert sink.dropped_frames > 0
    sink.close()
    sink.close()


def test_a_device_by_a_name_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(SinkError, match=r"'nowhere'.*NULL Playback Device"):
        DeviceSink("none", "nowhere").open()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("null", "null"),
        ("device", "device:the sound device"),
        ("pulse:Headphones", "pulse:Headphones"),
        ("pipewire", "pipewire:the sound device"),
        ("alsa:hw", "alsa:hw"),
    ],
)
def test_outputs_by_name(text: str, name: str) -> None:
    assert make_sink(text).name == name


@pytest.mark.parametrize(
    "text", ["", "speaker", "wav:", "fifo:", "wav:/nowhere/at/all.wav", "null:x,y,", "wav:/tmp"]
)
def test_outputs_that_cannot_be(text: str) -> None:
    with pytest.raises(OutputError, match="output"):
        make_sink(text)


@pytest.mark.parametrize("kind", ["wav", "wav+", "fifo"])
def test_a_file_of_another_kind_is_not_written_over(kind: str, tmp_path: Path) -> None:
    song = tmp_path / "song.flac"
    song.write_bytes(b"fLaC and more")
    with pytest.raises(OutputError, match=r"song\.flac"):
        make_sink(f"{kind}:{song}")
    assert song.read_bytes() == b"fLaC and more"
    sink = WavSink(tmp_path / "mine.wav")
    sink.open()
    sink.close()
    assert make_sink(f"wav:{tmp_path / 'mine.wav'}").name
    for begun in (b"", b"RI"):
        (tmp_path / "begun.wav").write_bytes(begun)
        assert make_sink(f"wav:{tmp_path / 'begun.wav'}").name


def test_several_outputs_are_joined_by_commas() -> None:
    assert split_outputs("device, fifo:/tmp/a,b ,wav:x.wav") == ("device", "fifo:/tmp/a,b", "wav:x.wav")
    with pytest.raises(OutputError, match="twice"):
        split_outputs("null,null")
    with pytest.raises(OutputError, match="at most"):
        split_outputs(",".join(f"fifo:{i}" for i in range(9)))


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
def test_a_socket_is_no_pipe(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        with pytest.raises(SinkError, match="no named pipe"):
            FifoSink(tmp_path / "s").open()


def test_a_device_begins_when_enough_is_there_and_after_running_dry_once_more() -> None:
    sink = DeviceSink("none")
    feed = sink._feed()
    next(feed)

    def hears(n_frames: int) -> bool:
        return bool(feed.send(n_frames).any())

    ready = int(READY_S * MIX_RATE_HZ)
    sink._ring.offer(np.ones((ready - 1, 2), np.float32))
    assert not hears(480)
    sink._ring.offer(np.ones((1, 2), np.float32))
    assert hears(ready)
    assert sink.underruns == 0
    assert not hears(480), "it is dry"
    assert sink.underruns == 1
    sink._ring.offer(np.ones((480, 2), np.float32))
    assert not hears(480)
    assert sink.underruns == 1, "counted once, however long it lasts"
    sink._ring.offer(np.ones((ready, 2), np.float32))
    assert hears(480)
