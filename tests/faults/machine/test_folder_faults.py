"""F37 for every folder: full, read-only, forbidden, or no home. Real file systems, and a run heard."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.running_product import Product
from support.sounds.sound_checks import longest_gap_s, read_wav, sounding
from support.waiting import SCAN_PATIENCE_S, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

RATE_HZ = 48_000
MAX_GAP_S = 0.02
FILL = "{ cat /dev/zero > $0/filled; } 2>/dev/null"
MOUNTS = {
    "full": f"mount -t tmpfs -o size=1m none $0 && {{ {FILL}; true; }}",
    "nearly full": "mount -t tmpfs -o size=1m none $0 && head -c 800000 /dev/zero > $0/filled",
    "read-only": "mount --bind $0 $0 && mount -o remount,ro,bind $0 $0",
    "no home": "echo passwd: files > $0/nss && mount --bind $0/nss /etc/nsswitch.conf && "
    "mount --bind /dev/null /etc/passwd && unset HOME NEUROPLAYER_STATE_DIR NEUROPLAYER_CACHE_DIR",
}
WHY = {
    "full": "no space left on device",
    "nearly full": "MB free",
    "read-only": "read-only file system",
    "forbidden": "permission denied",
    "not to be written": "permission denied",
    "no home": "there is no home folder",
}
MEND = {
    "full": "free some space",
    "nearly full": "free some space",
    "read-only": "mount it",
    "forbidden": "sudo chown",
    "not to be written": "sudo chown",
    "no home": "set HOME",
}


@dataclass(frozen=True)
class World:
    """How the product is started where its folders are out of order."""

    how: str
    folder: Path

    @property
    def program(self) -> tuple[str, ...]:
        ours = (sys.executable, "-m", "daemon.cli")
        if self.how in MOUNTS:
            return ("unshare", "-Urm", "sh", "-c", f'{MOUNTS[self.how]}; exec "$@"', str(self.folder), *ours)
        if os.geteuid() == 0:  # root, who may not overrule a file's mode
            return ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--", *ours)
        return ours


@pytest.fixture(params=list(WHY))
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(request.param, tmp_path / "place")
    found.folder.mkdir()
    missing = [word for word in ("unshare", "setpriv") if shutil.which(word) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    mount = ("unshare", "-Urm", "mount", "-t", "tmpfs", "none", str(found.folder))
    probe = subprocess.run(mount, capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"no mounts in a namespace of one's own: {probe.stderr.decode().strip()}")
    mode = {"forbidden": 0o000, "not to be written": 0o555}.get(found.how, 0o700)
    found.folder.chmod(mode)
    (tmp_path / "temp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temp"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind in ("STATE", "CACHE"):
        monkeypatch.setenv(f"NEUROPLAYER_{kind}_DIR", str(found.folder))
    return found


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Two tracks of noise: every silent moment in them would be ours."""
    folder = tmp_path / "music"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in "ab":
        samples = rng.uniform(-0.1, 0.1, 40 * RATE_HZ).astype(np.float32)
        soundfile.write(folder / f"{name}.wav", samples, RATE_HZ, "FLOAT")
    return folder


def test_f37_the_music_plays_and_each_folder_that_keeps_nothing_is_told_once(
    world: World, music: Path, product: Product, tmp_path: Path
) -> None:
    wav = tmp_path / "heard.wav"
    running = product.start(
        *("run", "--source", "simulated", "--plain", "--no-web", "--record", "--music", str(music)),
        *("--output", f"wav:{wav}"),
        program=world.program,
    )
    ten_s = 10 * RATE_HZ * 4
    wait_until(
        lambda: running.process.poll() is not None or (wav.exists() and wav.stat().st_size > ten_s),
        "ten seconds of sound",
        SCAN_PATIENCE_S,
    )
    running.interrupt()
    assert running.wait() == 0, running.errors
    heard = sounding(read_wav(wav)[0])
    assert len(heard) > 3 * RATE_HZ
    assert longest_gap_s(heard, RATE_HZ) <= MAX_GAP_S
    assert not running.says("Traceback"), running.errors
    told = [line for line in running.lines if "cannot be written (" in line]
    kinds = [line.partition(":")[0] for line in told]
    assert kinds == (["Cache"] if world.how == "nearly full" else ["State", "Cache"])
    assert all(WHY[world.how] in line for line in told)
    assert len(set(running.errors)) == len(running.errors), "each is told once"
    assert not running.says(" ended ("), running.errors
    assert not (Path.cwd() / "~").exists()


def test_f37_the_doctor_says_what_to_do_about_it(world: World, product: Product) -> None:
    running = product.start("doctor", program=world.program)
    assert running.wait() == 1
    assert not running.says("Traceback"), running.errors
    bad = [n for n, line in enumerate(running.lines) if line.startswith("BAD ") and " folder: " in line]
    assert len(bad) == (1 if world.how == "nearly full" else 2), running.lines
    for number in bad:
        assert WHY[world.how] in running.lines[number]
        assert MEND[world.how] in running.lines[number + 1]
