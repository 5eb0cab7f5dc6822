"""A session recorded under a key: replayed the same, mended after a kill, refused without it, forgotten."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acquisition.recording.recording_key import KEY_FILE
from acquisition.recording.session_file import read_session
from acquisition.signal import EegChunk
from support.peers.real_broker import RealBroker
from support.running_product import ROOT, MosquittoSub, Product
from support.waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.slow]
COMMAND = (sys.executable, "-m", "daemon.cli")


def _asked(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*COMMAND, *words), cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )


def _anna() -> Path:
    return Path(os.environ["NEUROPLAYER_STATE_DIR"]) / "wearers" / "anna"


def test_from_the_first_sample_to_forgetting(
    product: Product, broker: RealBroker, ear: MosquittoSub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEUROPLAYER_SESSION_ENCRYPT", "true")
    common = ("--wearer", "anna", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    options = ("--source", "simulated", "--speed", "8", "--baseline", "10", "--output", "null", "--no-web")
    running = product.start("run", *options, "--record", "--plain", *common)
    wait_until(lambda: len(ear.on("estimate")) > 40, "estimates")
    wait_until(lambda: bool(ear.on("player/decision")), "music was chosen")
    running.interrupt()
    assert running.wait() == 0, running.errors
    [recording] = _anna().glob("recordings/*.xdf")
    for path in _anna().glob("recordings/*"):
        data = path.read_bytes()
        if not path.name.endswith(".consent.json"):
            assert b"XDF:" not in data[:64]
            for words in (b'"call"', b"EmotionState", b"calm", b"arousal"):
                assert words not in data, path.name
    done = _asked("replay", str(recording))
    assert done.returncode == 0, done.stdout + done.stderr
    assert _asked("export", str(recording), str(tmp_path / "a.csv")).returncode == 0

    key = _anna() / KEY_FILE
    key.chmod(0o644)
    for words in (("replay", str(recording)), ("export", str(recording), str(tmp_path / "b.csv"))):
        done = _asked(*words)
        assert done.returncode == 2
        assert [line for line in done.stderr.splitlines() if line] == done.stderr.splitlines()[:1]
        assert "chmod 600" in done.stderr
    before = set(_anna().glob("recordings/*.xdf*"))
    running = product.start("engine", *options[:6], "--record", *common)
    wait_until(
        lambda: any("nothing is recorded" in line for line in running.errors), "it is said in one line"
    )
    running.interrupt()
    running.wait()
    assert set(_anna().glob("recordings/*.xdf*")) == before, "nothing is recorded in clear instead"
    key.chmod(0o600)

    done = _asked("forget", "--wearer", "anna", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert KEY_FILE in done.stdout
    assert not _anna().exists()


def test_a_killed_engine_leaves_what_the_next_start_mends(
    product: Product, broker: RealBroker, ear: MosquittoSub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEUROPLAYER_SESSION_ENCRYPT", "true")
    common = ("--wearer", "anna", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    options = ("--source", "simulated", "--speed", "8", "--baseline", "10", "--record")
    engine = product.start("engine", *options, *common)
    wait_until(lambda: len(ear.on("estimate")) > 10, "estimates")
    engine.process.kill()
    engine.wait()
    [part] = _anna().glob("recordings/*.xdf.part")
    again = product.start("engine", *options[:-1], *common)
    mended = part.with_name(part.name.removesuffix(".part"))
    wait_until(mended.exists, "it is mended")
    again.interrupt()
    again.wait()
    assert sum(item.samples_uv.shape[1] for item in read_session(mended) if isinstance(item, EegChunk)) > 1000
