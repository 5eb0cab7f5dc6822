"""The units: what systemd itself says of them, offline."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon.cli import main
from daemon.commands.service import systemctl_for
from daemon.configuration.file import read_file
from daemon.processes.systemd_notify import FRESH_S, watchdog_every_s
from daemon.processes.systemd_units import ROLES, UnitError, unit, unit_name

ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSURE = 2.0
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


@needs_systemd
@pytest.mark.parametrize("role", ["run", *ROLES])
@pytest.mark.parametrize("home", [False, True])
@pytest.mark.parametrize("internet", [False, True])
def test_the_exposure_is_low(role: str, home: bool, internet: bool, tmp_path: Path) -> None:
    found = unit(role, python="/opt/neuroplayer/bin/python", music_at_home=home, internet=internet)
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


@pytest.mark.parametrize("role", ["run", *ROLES])
def test_who_plays_reaches_the_internet_where_that_was_asked_for(role: str) -> None:
    python = "/opt/n/bin/python"
    shut = {"IPAddressDeny=any", "Environment=NEUROPLAYER_INTERNET=denied"}
    assert shut <= set(unit(role, python=python).text.splitlines())
    opened = set(unit(role, python=python, internet=True).text.splitlines())
    assert (role in ("run", "player")) == (not shut & opened)


def test_install_says_that_the_internet_is_shut_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["service", "install", "--home-music", "--root", str(tmp_path)]
    main(asked)
    assert "--internet" in capsys.readouterr().out
    main([*asked, "--internet"])
    assert "--internet" not in capsys.readouterr().out
    assert "IPAddressDeny" not in (tmp_path / "etc/systemd/system/neuroplayer.service").read_text()


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
    said = capfd.readouterr()
    assert "systemctl daemon-reload" in said.out
    assert f"in the way of these: {', '.join(sorted(unit_name(role) for role in ROLES))}" in said.err
    assert main(["service", "install", "--root", "/proc/no/such", "--home-music"]) == 2


def _install(root: Path, *options: str) -> list[Path]:
    """Install below the folder; everything but the configuration that lies there then."""
    assert main(["service", "install", "--root", str(root), "--home-music", *options]) == 0
    return sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".toml")


def test_uninstall_removes_what_install_wrote_and_nothing_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    written = _install(tmp_path) + _install(tmp_path, "--split")
    units = tmp_path / "etc/systemd/system"
    kept = [
        tmp_path / "etc/neuroplayer/neuroplayer.toml",
        tmp_path / "var/lib/neuroplayer/recordings/one.xdf",
        units / "neuroplayer.service.d/override.conf",
        units / "neuroplayer-other.service",
    ]
    for path in kept[1:]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("theirs\n")
    link = units / "multi-user.target.wants" / unit_name("run")
    link.parent.mkdir()
    link.symlink_to(f"/etc/systemd/system/{unit_name('run')}")
    capfd.readouterr()
    assert main(["service", "uninstall", "--root", str(tmp_path), "--show"]) == 0
    shown = {line.removeprefix("Would be removed: ") for line in capfd.readouterr().out.splitlines()}
    assert shown == {str(path) for path in {link, *written}}
    assert all(path.exists() for path in written)
    assert main(["service", "uninstall", "--root", str(tmp_path)]) == 0
    said = capfd.readouterr().out
    assert not link.is_symlink()
    assert [path for path in written if path.exists()] == []
    assert all(path.exists() for path in kept)
    for path in (link, *written):
        assert f"Removed: {path}" in said
    for folder in ("etc/neuroplayer", "var/lib/neuroplayer", "etc/systemd/system/neuroplayer.service.d"):
        assert f"Kept: {tmp_path / folder}" in said
    assert main(["service", "uninstall", "--root", str(tmp_path)]) == 0
    assert "Nothing is installed" in capfd.readouterr().out


@pytest.mark.parametrize("how", ["edited", "theirs", "link", "fifo", "folder"])
def test_a_file_that_install_did_not_write_is_neither_removed_nor_overwritten(
    how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    written = _install(tmp_path)
    unit_file = tmp_path / "etc/systemd/system" / unit_name("run")
    text = unit_file.read_text()
    if how == "edited":
        unit_file.write_text(text.replace("WatchdogSec=90", "WatchdogSec=900"))
    else:
        unit_file.unlink()
    if how == "theirs":
        unit_file.write_text("[Service]\nExecStart=/bin/true\n")
    if how == "link":
        unit_file.symlink_to("/dev/null")  # as `systemctl mask` does
    if how == "fifo":
        os.mkfifo(unit_file)
    if how == "folder":
        unit_file.mkdir()
    for command in ("uninstall", "install"):
        options = ["--home-music"] if command == "install" else []
        capfd.readouterr()
        assert main(["service", command, "--root", str(tmp_path), *options]) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert str(unit_file) in line
        assert all(path.exists() for path in written)
    if how == "edited":
        assert "WatchdogSec=900" in unit_file.read_text()


@pytest.mark.parametrize("running", [True, False], ids=["systemd-runs", "systemd-refuses"])
def test_uninstall_stops_and_disables_first_where_systemd_runs(
    running: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root, diary, control = tmp_path / "root", tmp_path / "diary", tmp_path / "systemctl"
    written = _install(root, "--split")
    first = root / "etc/systemd/system" / unit_name(ROLES[0])
    refuses = "" if running else "echo 'Access denied' >&2; exit 1\n"
    control.write_text(
        f'#!/bin/sh\ntest -e {first} && echo "there: $*" >>{diary} || echo "gone: $*" >>{diary}\n{refuses}'
    )
    control.chmod(0o755)
    monkeypatch.setattr("daemon.commands.service.systemctl_for", lambda _base: str(control))
    status = main(["service", "uninstall", "--root", str(root)])
    names = " ".join(unit_name(role) for role in ROLES)
    asked = [f"there: disable --now {names}"]
    if running:
        assert status == 0
        assert diary.read_text().splitlines() == [*asked, "gone: daemon-reload"]
        assert not any(path.exists() for path in written)
    else:
        assert status == 2
        assert diary.read_text().splitlines() == asked
        assert "Access denied" in capfd.readouterr().err
        assert all(path.exists() for path in written), "what runs on keeps its files"


def test_systemctl_is_asked_of_this_machine_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.commands.service.BOOTED", tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    assert systemctl_for(Path("/")) == "/bin/systemctl"
    assert systemctl_for(tmp_path) is None
    monkeypatch.setattr("daemon.commands.service.BOOTED", tmp_path / "no")
    assert systemctl_for(Path("/")) is None


def test_the_watchdog_is_fed_three_times_in_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert watchdog_every_s() is None
    monkeypatch.setenv("WATCHDOG_USEC", "90000000")
    assert watchdog_every_s() == pytest.approx(30)
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert watchdog_every_s() is None
