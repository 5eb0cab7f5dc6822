"""Each optional native part truly absent: its files are covered in a mount namespace of the product's own."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.peers.real_broker import MOSQUITTO
from support.running_product import Product, Running
from support.waiting import PATIENCE_S, SCAN_PATIENCE_S, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TOLD = {"pylsl": "liblsl", "brainflow": "BrainFlow", "ai_edge_litert": "LiteRT"}


def covered(*paths: Path) -> Sequence[str]:
    """Starts the product where these folders are empty and these files cannot be run."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    cover = [f"mount -t tmpfs none '{p}'" if p.is_dir() else f"mount --bind /dev/null '{p}'" for p in paths]
    probe = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", " && ".join(cover)], capture_output=True, check=False
    )
    if probe.returncode:
        pytest.skip(f"no mounts in a namespace of one's own: {probe.stderr.decode().strip()}")
    script = " && ".join([*cover, 'exec "$@"'])
    return ("unshare", "-Urm", "sh", "-c", script, "sh", sys.executable, "-m", "daemon.cli")


def folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    library = folder / "lib"
    return library if library.is_dir() else folder


def play(product: Product, program: Sequence[str], wav: Path, *more: str) -> Running:
    return product.start("run", "--plain", "--no-web", "--output", f"wav:{wav}", *more, program=program)


def hear(running: Running, wav: Path) -> None:
    wait_until(
        lambda: running.process.poll() is not None or (wav.exists() and wav.stat().st_size > 5 * 48_000 * 4),
        "five seconds of sound",
        SCAN_PATIENCE_S,
    )
    assert any(wav.read_bytes()[1000:]), "it is silent"


def end(running: Running) -> None:
    running.interrupt()
    assert running.wait() == 0, running.errors
    assert not running.says("Traceback"), running.errors
    assert not running.says(" ended ("), running.errors


@pytest.mark.parametrize("package", list(TOLD))
def test_the_doctor_names_it_and_says_how_to_get_it(package: str, product: Product) -> None:
    running = product.start("doctor", program=covered(folder_of(package)))
    assert running.wait() == 1
    (at,) = (n for n, line in enumerate(running.lines) if line.startswith(f"BAD   {TOLD[package]}: "))
    assert "missing" in running.lines[at]
    assert "install the package" in running.lines[at + 1]


def test_without_liblsl_the_search_is_left_out_and_the_music_plays(product: Product, tmp_path: Path) -> None:
    running = play(product, covered(folder_of("pylsl")), tmp_path / "a.wav")
    hear(running, tmp_path / "a.wav")
    wait_until(lambda: running.says("none is looked for without liblsl"), "the search", PATIENCE_S)
    end(running)


@pytest.mark.parametrize(
    ("package", "source"), [("pylsl", "lsl:Muse"), ("brainflow", "brainflow:SYNTHETIC_BOARD")]
)
def test_a_source_whose_library_is_missing_is_told_and_the_music_plays(
    package: str, source: str, product: Product, tmp_path: Path
) -> None:
    running = play(product, covered(folder_of(package)), tmp_path / "a.wav", "--source", source)
    hear(running, tmp_path / "a.wav")
    wait_until(lambda: running.says(f"{TOLD[package]}"), "the reason", PATIENCE_S)
    assert running.says("install the package")
    end(running)


def test_without_litert_the_rule_reads_and_says_so(product: Product, tmp_path: Path) -> None:
    """Moods come all the same, from the band-power rule."""
    running = play(
        product,
        covered(folder_of("ai_edge_litert")),
        tmp_path / "a.wav",
        *("--source", "simulated"),
    )
    hear(running, tmp_path / "a.wav")
    wait_until(lambda: running.says("LiteRT is missing"), "why no network reads", PATIENCE_S)
    assert sum("LiteRT is missing" in line for line in running.errors) == 1
    end(running)


def test_without_mosquitto_the_embedded_broker_serves(product: Product, tmp_path: Path) -> None:
    if not Path(MOSQUITTO).exists():
        pytest.skip("Mosquitto is not installed")
    running = play(product, covered(Path(MOSQUITTO).resolve()), tmp_path / "a.wav", "--source", "simulated")
    hear(running, tmp_path / "a.wav")
    assert running.says("own embedded broker")
    wait_until(lambda: running.says("mood: "), "a state over MQTT", PATIENCE_S)
    end(running)


def test_devices_lists_what_can_be_read_without_the_rest(product: Product) -> None:
    running = product.start("devices", "--no-preview", program=covered(folder_of("pylsl")))
    assert running.wait() == 0
    assert running.says("liblsl is missing")
    assert running.says("BrainFlow: ")
