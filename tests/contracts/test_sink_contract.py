"""What every output promises, held against each kind there is, those that are not there, and a broken one."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import socket
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import player.outputs
from player.deck import MIX_RATE_HZ, silence
from player.mixing.limiter import Limiter
from player.outputs.device_sink import DeviceSink
from player.outputs.fifo_sink import FifoSink
from player.outputs.output_spec import FORMS, KINDS, OutputError, make_sink, split_outputs
from player.outputs.outputs import Outputs
from player.outputs.wav_sink import WavSink
from player.sink import NullSink, Sink, SinkError
from support.free_ports import a_free_port
from support.sounds.playback_rig import tone

ROOT = Path(__file__).resolve().parents[2]
BLOCK = tone(1024 / MIX_RATE_HZ, 440)
BLOCK.flags.writeable = False
Make = Callable[[Path], Sink]


def _of_kind(name: str) -> Make:
    return lambda folder: make_sink(f"{name}:{folder / 'out'}" if KINDS[name].file else name)


def _listened_to(_folder: Path) -> Sink:
    """A server that takes the connection; the sink keeps it alive as long as it lives itself."""
    server = socket.create_server(("127.0.0.1", 0))
    sink = make_sink(f"tcp:127.0.0.1:{server.getsockname()[1]}")
    weakref.finalize(sink, server.close)
    return sink


MAKERS: dict[str, Make] = {
    **{name: _of_kind(name) for name in KINDS},
    "tcp": _listened_to,
    "http": lambda _folder: make_sink(f"http:{a_free_port()}"),
    "a silent device": lambda _folder: DeviceSink("none"),
}
BROKEN: dict[str, Make] = {
    "a device that is not there": lambda _folder: DeviceSink("none", "nowhere"),
    "a WAV file on a full disk": lambda _folder: WavSink(Path("/dev/full")),
    "a WAV file in a folder that has gone": lambda folder: WavSink(folder / "gone" / "out.wav"),
    "a server that is not there": lambda _folder: make_sink("tcp:127.0.0.1:1"),
    "a stream for another machine": lambda folder: make_sink(f"http:192.0.2.1:80,token={folder / 'key'}"),
    "a pipe that is a file": lambda folder: FifoSink(_file(folder / "file")),
}
every_working = pytest.mark.parametrize("kind", MAKERS)
every_sink = pytest.mark.parametrize("kind", [*MAKERS, *BROKEN])


def _file(path: Path) -> Path:
    path.write_text("keep me")
    return path


def _sink(kind: str, folder: Path) -> Sink:
    return {**MAKERS, **BROKEN}[kind](folder)


def _opened(kind: str, folder: Path) -> Sink:
    sink = _sink(kind, folder)
    said = _refusal(sink)
    if said:
        _is_one_line(said)
        assert type(sink) is DeviceSink, said
        sink.close()
        sink.close()
        pytest.skip(f"there is no such output here: {said}")
    return sink


def _refusal(sink: Sink) -> str:
    try:
        sink.open()
    except SinkError as error:
        return str(error)
    return ""


def _is_one_line(text: str) -> None:
    assert text.strip()
    assert "\n" not in text
    assert len(text) < 500


@every_sink
def test_it_has_a_name_for_people_and_knows_whether_it_paces(kind: str, tmp_path: Path) -> None:
    sink = _sink(kind, tmp_path)
    _is_one_line(sink.name)
    assert sink.paces in (True, False)


@every_working
def test_it_can_be_closed_at_any_time_and_opened_again(kind: str, tmp_path: Path) -> None:
    sink = _sink(kind, tmp_path)
    sink.close()
    sink.close()
    sink = _opened(kind, tmp_path)
    sink.close()
    sink.close()
    sink.open()
    sink.write(BLOCK)
    sink.close()


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_one_says_so_in_one_line_and_the_music_goes_on(kind: str, tmp_path: Path) -> None:
    sink = _sink(kind, tmp_path)
    with pytest.raises(SinkError) as caught:
        sink.open()
    _is_one_line(str(caught.value))
    for _ in range(2):
        with contextlib.suppress(SinkError):  # a file that cannot be finished says so
            sink.close()
    outputs = Outputs([_sink(kind, tmp_path), NullSink()], retry_s=60)
    outputs.wait_ready(10)
    outputs.write(BLOCK)
    (problem,) = outputs.degraded
    assert str(caught.value) in problem
    outputs.close()


@every_working
@pytest.mark.parametrize("wait", [True, False])
def test_it_takes_blocks_of_any_length_and_leaves_them_as_they_are(
    kind: str, wait: bool, tmp_path: Path
) -> None:
    sink = _opened(kind, tmp_path)
    for block in (BLOCK, silence(0), BLOCK[:1], BLOCK[:333], silence(64)):
        sink.write(block, wait)
    limiter = Limiter()
    for _ in range(4):
        sink.write(limiter.process(BLOCK), wait)  # as the mixer hands it over
    sink.close()
    assert np.array_equal(BLOCK, tone(1024 / MIX_RATE_HZ, 440))


@every_working
def test_without_waiting_a_second_of_sound_is_taken_or_dropped_at_once(kind: str, tmp_path: Path) -> None:
    sink = _opened(kind, tmp_path)
    for _ in range(50):
        sink.write(BLOCK, wait=False)
    assert getattr(sink, "dropped_frames", 0) <= 50 * len(BLOCK)
    sink.close()


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.file])
def test_what_goes_to_a_file_does_not_run_over_a_strangers(kind: str, tmp_path: Path) -> None:
    song = tmp_path / "song.flac"
    song.write_bytes(b"fLaC and more")
    with pytest.raises(OutputError, match=r"song\.flac"):
        make_sink(f"{kind}:{song}")
    assert song.read_bytes() == b"fLaC and more"
    for nowhere in (f"{kind}:", f"{kind}:{tmp_path}", f"{kind}:{tmp_path / 'no' / 'folder'}"):
        with pytest.raises(OutputError, match="output"):
            make_sink(nowhere)
    assert [path.name for path in tmp_path.iterdir()] == [song.name]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_told_apart_in_a_list(kind: str) -> None:
    other = "null" if kind != "null" else "alsa"
    assert split_outputs(f"{other},{kind}:a,b") == (other, f"{kind}:a,b")
    assert split_outputs(f"{kind}, {other}") == (kind, other)
    if KINDS[kind].form:
        assert KINDS[kind].form in FORMS
        assert KINDS[kind].form.startswith(kind)


def test_every_sink_there_is_has_its_kind() -> None:
    """A sink that no ``--output`` reaches lacks its line in ``KINDS``."""
    folder = Path(player.outputs.__file__).parent
    modules = [importlib.import_module(f"player.outputs.{path.stem}") for path in folder.glob("*_sink.py")]
    found = {
        one.__name__
        for module in modules
        for _, one in inspect.getmembers(module, inspect.isclass)
        if one.__module__ == module.__name__ and one.__name__.endswith("Sink")
    }
    reached = {
        type(make_sink(f"{name}:{ROOT / 'nothing here'}" if kind.file else name)).__name__
        for name, kind in KINDS.items()
    }
    assert found - reached == set(), "no line in KINDS of player/outputs/output_spec.py makes them"


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.form])
def test_a_user_can_read_of_each(kind: str) -> None:
    told = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert KINDS[kind].form in told, "run: python -m daemon.configuration.explained docs/configuration.md"
