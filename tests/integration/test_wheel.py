"""The built wheel in a clean environment: the same command, and no other distribution's packages."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from support.running_product import ROOT, Product
from support.waiting import wait_until

PACKAGES = ("acquisition", "daemon", "inference", "models", "player")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that holds the wheel; the dependencies are those of this environment."""
    base = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(base), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=100,
    )
    venv.create(base / "venv", with_pip=False, symlinks=True)
    python = base / "venv" / "bin" / "python"
    (wheel,) = base.glob("neuroplayer-*.whl")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", str(wheel)],
        check=True,
        timeout=100,
    )
    (site,) = (base / "venv" / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_the_packages_belong_to_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    code = (
        "import json, importlib.metadata as m, daemon;"
        "d = m.packages_distributions();"
        f"print(json.dumps([daemon.__file__, {{name: d[name] for name in {PACKAGES!r}}}]))"
    )
    done = subprocess.run([installed, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path)
    place, owners = json.loads(done.stdout)
    assert Path(place).is_relative_to(installed.parents[1])
    assert owners == {name: ["neuroplayer"] for name in PACKAGES}


def test_the_wheel_holds_the_networks_and_nothing_of_the_workshop(installed: Path) -> None:
    (site,) = (installed.parents[1] / "lib").glob("python*/site-packages")
    shipped = ROOT / "models" / "pretrained"
    for manifest in shipped.glob("*/manifest.json"):
        assert (site / "models" / "pretrained" / manifest.parent.name / "manifest.json").is_file()
    assert not (site / "tests").exists()
    assert not (site / "docker").exists()


@pytest.mark.broker
def test_the_wheel_runs_the_same(
    installed: Path, product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = installed.parent / "neuroplayer"
    running = product.start(
        *("run", "--json", "--no-web", "--source", "simulated", "--output", "null"),
        program=[str(command)],
    )
    for topic in ("emotion", "signal", "session"):
        wait_until(lambda named=f'"topic": "{topic}"': running.says(named), topic)  # type: ignore[misc]
    running.interrupt()
    assert running.wait() == 0, running.errors
    said = [json.loads(line) for line in running.lines]
    assert {"emotion", "signal", "session"} <= {line["topic"] for line in said}
    assert not any("Traceback" in line for line in running.errors)
