"""The units: what systemd itself says of them, offline."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon.cli import main
from daemon.config import read_file
from daemon.notify import watchdog_every_s
from daemon.service_watch import FRESH_S
from daemon.systemd_units import ROLES, UnitError, unit, unit_name

ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSURE = 2.0
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


@needs_systemd
@pytest.mark.parametrize("role", ["run", *ROLES])
@pytest.mark.parametrize("home", [False, True])
def test_the_exposure_is_low(role: str, home: bool, tmp_path: Path) -> None:
    found = unit(role, python="/opt/neuroplayer/bin/python", music_at_home=home)
    path = tmp_path / found.name
    path.write_text(found.text)
    done = subprocess.run(
        [str(ANALYZE), "security", "--offline=true", f"--threshold={MOST_EXPOSURE * 10:.0f}", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    found_level = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found_level is not None, done.stdout + done.stderr
    assert float(found_level[1]) <= MOST_EXPOSURE
    assert done.returncode == 0


@needs_systemd
def test_systemd_finds_nothing_to_complain_about(tmp_path: Path) -> None:
    for role in ("run", *ROLES):
        found = unit(role, python="/usr/bin/env")
        (tmp_path / found.name).write_text(found.text)
    done = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", *map(str, tmp_path.glob("*.service"))],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    complaints = [line for line in done.stderr.splitlines() if "neuroplayer" in line]
    assert not complaints


def test_what_the_units_promise() -> None:
    text = unit("run", python="/opt/n/bin/python").text
    for line in (
        "Type=notify",
        "WatchdogSec=90",
        "User=neuroplayer",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "RestartPreventExitStatus=2",
        "ExecStart=/opt/n/bin/python -m daemon.cli run --plain",
    ):
        assert line in text.splitlines()
    assert "Type=exec" in unit("broker", python="/opt/n/bin/python").text
    assert FRESH_S < 90 / 3


@pytest.mark.parametrize(
    "python", ["/opt/a b/python", '/opt/"x"/python', "/home/me/venv/bin/python", "/opt/a\nb"]
)
def test_a_path_that_cannot_work_is_refused(python: str) -> None:
    with pytest.raises(UnitError):
        unit("run", python=python)


def test_install_writes_below_the_root_given(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["service", "install", "--split", "--root", str(tmp_path), "--home-music"]) == 0
    written = {path.name for path in (tmp_path / "etc/systemd/system").iterdir()}
    assert written == {unit_name(role) for role in ROLES}
    config = tmp_path / "etc/neuroplayer/neuroplayer.toml"
    assert config.stat().st_mode & 0o777 == 0o600
    assert read_file(config) == {}
    config.write_text('node = "den"\n')
    assert main(["service", "install", "--root", str(tmp_path), "--home-music"]) == 0
    assert config.read_text() == 'node = "den"\n', "a configuration is never overwritten"
    assert "systemctl daemon-reload" in capfd.readouterr().out
    assert main(["service", "install", "--root", "/proc/no/such", "--home-music"]) == 2


def test_the_watchdog_is_fed_three_times_in_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert watchdog_every_s() is None
    monkeypatch.setenv("WATCHDOG_USEC", "90000000")
    assert watchdog_every_s() == pytest.approx(30)
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert watchdog_every_s() is None
