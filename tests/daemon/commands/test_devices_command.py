"""``neuroplayer devices`` beside a real outlet and a Cyton behind a pseudo terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from acquisition.headsets.devices import serial_ports
from acquisition.headsets.impedance import cyton_ohm, measure
from acquisition.port import UnknownSourceError
from daemon.commands import devices as devices_command
from daemon.commands.devices import devices
from daemon.diagnosis import signal_preview
from support.peers.pty_cyton import PtyCyton
from support.peers.real_outlet import RealOutlet
from support.waiting import wait_until


def listed(outlet: RealOutlet) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the list says, and what it says of one stream, as soon as the stream answers in time."""
    found: dict[str, Any] = {}
    ours: dict[str, Any] = {}

    def listed_with_its_signal() -> bool:
        done = CliRunner().invoke(devices, ["--json"])
        assert done.exit_code == 0, done.output
        found.update(json.loads(done.output))
        ours.update(next((stream for stream in found["lsl"] if stream["name"] == outlet.name), {}))
        return str(ours.get("signal")).startswith("signal ")

    wait_until(listed_with_its_signal, "the stream is listed with its signal")
    return found, ours


def test_the_list_shows_streams_with_their_signal_and_every_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices_command, "GLANCE_S", 2.5)
    with RealOutlet() as outlet:
        found, ours = listed(outlet)
    assert (ours["channels"], ours["rate_hz"], ours["type"]) == (4, 256.0, "EEG")
    assert "AF7" in ours["signal"]
    named = {board["source"]: board for board in found["boards"]}
    assert named["brainflow:MUSE_2_BOARD"]["channels"] == ["TP9", "AF7", "AF8", "TP10"]
    assert "accel_x" in named["brainflow:CYTON_BOARD"]["extras"]
    assert named["brainflow:UNICORN_BOARD"]["battery"] is True
    assert len(named) > 40


def test_a_preview_shows_quality_as_it_comes() -> None:
    done = CliRunner().invoke(devices, ["--preview", "simulated", "--seconds", "5"])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert "simulated wearer: streaming" in lines
    assert sum(line.startswith("signal ") for line in lines) >= 2


def test_a_preview_of_what_is_not_there_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal_preview, "OPEN_S", 1.0)
    done = CliRunner().invoke(devices, ["--preview", "lsl:nobody", "--seconds", "1"])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0] == "lsl:nobody: connecting"
    assert "signal" not in done.output


def test_impedance_of_a_cyton_is_that_of_its_electrodes(tmp_path: Path) -> None:
    ohm = 30_000.0
    board = PtyCyton(tmp_path).start("0-0", str(ohm), "4")  # in a hurry, for eight electrodes take a while
    with board:
        options = {"serial_port": str(board.link)}
        # so long settling leaves out all that a full buffer of the port holds
        found = list(measure("CYTON_BOARD", options, measure_s=0.4, settle_s=0.6))
    assert [one.channel for one in found] == ["Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2"]
    assert all(one.ohm == pytest.approx(ohm, rel=0.1) for one in found)
    assert {one.verdict for one in found} == {"usable"}


def test_impedance_is_computed_from_the_amplitude() -> None:
    import numpy as np

    times_s = np.arange(500) / 250
    amplitude_uv = 6e-9 * (5000 + 2200) * 1e6
    samples_uv = 3000 + amplitude_uv * np.sin(2 * np.pi * 31.25 * times_s + 0.7)
    samples_uv += 20 * np.sin(2 * np.pi * 10 * times_s)
    assert cyton_ohm(samples_uv, 250.0) == pytest.approx(5000, rel=0.02)


def test_a_board_that_measures_none_is_refused() -> None:
    with pytest.raises(UnknownSourceError, match="Cyton and Ganglion do"):
        next(measure("MUSE_2_BOARD", {}))


def test_serial_ports_are_named_once_by_their_lasting_name(tmp_path: Path) -> None:
    (tmp_path / "serial" / "by-id").mkdir(parents=True)
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "ttyACM1").touch()
    (tmp_path / "serial" / "by-id" / "usb-OpenBCI").symlink_to(tmp_path / "ttyUSB0")
    found = serial_ports(tmp_path)
    assert [Path(port).name for port in found] == ["usb-OpenBCI", "ttyACM1"]
