"""Looking for a headset that nobody named: real outlets, a process of its own, and what a person is told."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
import pytest

from acquisition.headsets.devices import openbci_dongle
from acquisition.source_spec import parse_source
from daemon.startup.headset_search import FoundStream, choose, search
from support.peers.real_outlet import RealOutlet
from support.waiting import PATIENCE_S

MUSE = FoundStream("lsl:Muse,source_id=m1,type=EEG", "Muse", 4, 256.0)
CYTON = FoundStream("lsl:obci eeg,type=EEG", "obci eeg", 8, 250.0)
OUR_NOTE = "is offered by a session of this program"
OURS = FoundStream("lsl:neuroplayer,type=EEG", "neuroplayer", 4, 256.0, OUR_NOTE)


async def _found_all(names: set[str], *, alone: bool = True) -> list[FoundStream]:
    """Look until all of these have answered in time, and, where we are alone, no others."""
    until_s = time.monotonic() + PATIENCE_S
    while True:
        found = await search(2.0, wait_s=PATIENCE_S) or []
        there = {stream.name for stream in found}
        if there == names or (not alone and there >= names):
            return found
        assert time.monotonic() < until_s, f"{there} answered, not {names}"


async def test_real_outlets_are_told_apart() -> None:
    with (
        RealOutlet() as headset,
        RealOutlet(name="a simulated muse"),
        RealOutlet(name="b", source_id="neuroplayer-b"),
        RealOutlet(name="c", unit="furlongs"),
        RealOutlet(type="Markers"),
    ):
        found = await _found_all({headset.name, "a simulated muse", "b", "c"})
    by_name = {stream.name: stream for stream in found}
    ours = by_name[headset.name]
    assert (ours.channels, ours.rate_hz, ours.unfit) == (4, 256.0, "")
    assert by_name["a simulated muse"].unfit == "is simulated"
    assert "session of this program" in by_name["b"].unfit
    assert by_name["c"].unfit.startswith("must be in one known unit of volts")
    spec = parse_source(ours.source)
    assert (spec.argument, spec.options["source_id"]) == (headset.name, headset.settings["source_id"])
    assert choose(found, None).source == ours.source


async def test_without_a_file_of_the_users_own_this_machine_is_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LSLAPICFG")
    with RealOutlet() as headset:
        await _found_all({headset.name}, alone=False)


@pytest.mark.parametrize(
    "code",
    [
        "raise SystemExit(3)",
        "print('[1,')",
        "print('[' + ' ' * 100_000)",
        "import os; os.abort()",
    ],
)
async def test_a_search_that_fails_finds_nothing(code: str) -> None:
    assert await search(0.1, (sys.executable, "-c", code), PATIENCE_S) is None


async def test_a_search_that_cannot_begin_finds_nothing() -> None:
    assert await search(0.1, ("/no/such/program",)) is None


async def test_a_search_that_hangs_is_given_up_and_leaves_no_process(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    code = f"import os, time; open({str(noted)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    began_s = time.monotonic()
    while not noted.exists() or not noted.read_text():
        assert await search(0.1, (sys.executable, "-c", code), 1.0) is None
        assert time.monotonic() - began_s < PATIENCE_S
    assert not psutil.pid_exists(int(noted.read_text()))


def test_one_headset_is_taken_and_told() -> None:
    choice = choose([MUSE], "/dev/ttyUSB0")
    assert choice.source == MUSE.source
    assert choice.lines == ("Headset: LSL stream 'Muse' (4 channels, 256 Hz) found on this machine",)


def test_what_is_no_headset_is_left_aside_and_told() -> None:
    assert choose([OURS], None).source == "simulated"
    choice = choose([OURS, MUSE], None)
    assert choice.source == MUSE.source
    assert choice.lines[1] == "Left aside: LSL stream 'neuroplayer' is offered by a session of this program"


def test_of_several_none_is_taken_unasked_and_each_can_be_typed() -> None:
    more = [FoundStream(f"lsl:{n}", str(n), 1, 128.0) for n in range(3)]
    choice = choose([CYTON, MUSE, *more], None)
    assert choice.source == "simulated"
    assert choice.lines[0].startswith("Wearer: simulated, as 5 headsets were found")
    assert choice.lines[1] == "  --source 'lsl:obci eeg,type=EEG'  (8 channels, 250 Hz)"
    assert choice.lines[2] == "  --source lsl:Muse,source_id=m1,type=EEG  (4 channels, 256 Hz)"
    assert choice.lines[3] == "  --source lsl:0  (1 channel, 128 Hz)"
    assert choice.lines[-1] == "  and 2 more: neuroplayer devices"


def test_without_a_headset_one_sentence_says_how_to_connect_one() -> None:
    choice = choose([], None)
    assert choice.source == "simulated"
    assert choice.lines[0] == "Wearer: simulated, as no headset was found:"
    assert choice.lines[1].startswith("  start its LSL stream before this, or name a board: --source")
    _, _, dongle = choose([], "/dev/ttyUSB0").lines
    assert all(len(line) <= 100 for line in (*choice.lines, dongle))
    assert dongle.endswith("--source brainflow:CYTON_BOARD,serial_port=/dev/ttyUSB0")
    assert "failed" in choose(None, None).lines[0]


def test_what_a_stream_calls_itself_does_nothing_to_the_terminal() -> None:
    (line,) = choose([FoundStream("lsl:source_id=x", "\x1b[2J\n" + "x" * 500, 4, 256.0)], None).lines
    assert line.isprintable()
    assert len(line) < 160


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="USB numbers are read as Linux tells them")
@pytest.mark.parametrize(("product", "known"), [("6015", True), ("6001", False)])
def test_a_dongle_is_known_by_its_usb_numbers(tmp_path: Path, product: str, *, known: bool) -> None:
    usb = tmp_path / "devices" / "usb1" / "1-2"
    port = usb / "1-2:1.0" / "ttyUSB3"
    port.mkdir(parents=True)
    (usb / "idVendor").write_text("0403\n")
    (usb / "idProduct").write_text(f"{product}\n")
    tty = tmp_path / "tty" / "ttyUSB3"
    tty.mkdir(parents=True)
    (tty / "device").symlink_to(port)
    dev = tmp_path / "dev"
    dev.mkdir()
    (dev / "ttyUSB3").touch()
    (dev / "ttyACM0").touch()
    assert openbci_dongle(dev, tmp_path / "tty") == (str(dev / "ttyUSB3") if known else None)
