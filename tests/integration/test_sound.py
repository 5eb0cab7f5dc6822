"""What is heard while the product runs, fades and is broken: recorded with ``--output wav:`` and measured."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from daemon.mqtt import codec, documents
from support.peers.real_broker import RealBroker
from support.running_product import MosquittoSub, Product
from support.sounds.sound_checks import levels_db, longest_gap_s, read_wav, sounding
from support.waiting import wait_until

pytestmark = pytest.mark.broker

RATE_HZ = 48_000
LEVEL = 0.1
MOODS = {"calm": -0.8, "even": 0.0, "lively": 0.8}
MAX_GAP_S = 0.02


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """Tracks of independent white noise, all equally loud: any dip or bump of a fade shows.

    Left and right differ, so that no frame is all zero by chance.
    """
    folder = tmp_path / "music"
    folder.mkdir()
    rng = np.random.default_rng(0)
    moods = {f"{name} {n}": arousal for name, arousal in MOODS.items() for n in (1, 2)}
    rows = [f"{name}.wav,0,{arousal}" for name, arousal in moods.items()]
    (folder / "moods.csv").write_text("\n".join(["path,valence,arousal", *rows]) + "\n")
    for name in moods:
        samples = rng.uniform(-LEVEL, LEVEL, (32 * RATE_HZ, 2)).astype(np.float32)
        soundfile.write(folder / f"{name}.wav", samples, RATE_HZ, "FLOAT")
    return folder


def publish(broker: RealBroker, name: str, payload: str, *options: str) -> None:
    """Publish by ``mosquitto_pub``."""
    command = ["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-t", f"neuroplayer/t/{name}"]
    subprocess.run([*command, "-m", payload, *options], check=True, timeout=10)


def feeling(emotion: Literal["relaxed", "focused"], arousal: float) -> str:
    """What an engine would say of a wearer who is surely so."""
    now = datetime.now(UTC)
    document = documents.Emotion(
        at=now,
        simulated=False,
        emotion=emotion,
        valence=None,
        arousal=arousal,
        confidence=0.95,
        status="ok",
        since=now,
        seq=1,
        model=documents.Model(name="test", sha256=None),
        latency_ms={},
    )
    return codec.encode(document).decode()


def _skips(ear: MosquittoSub) -> int:
    return [document["kind"] for document in ear.documents("player/decision")].count("skip")


def test_f34_skips_fade_with_equal_power_and_a_killed_engine_is_not_heard(
    product: Product, broker: RealBroker, ear: MosquittoSub, noise: Path, tmp_path: Path
) -> None:
    wav = tmp_path / "session.wav"
    # a track that is not measured yet is played 6 dB down, and this is about fades
    assert product.start("library", "scan", "--music", str(noise)).wait() == 0
    running = product.start(
        *("run", "--plain", "--no-web", "--source", "simulated", "--music", str(noise), "--node", "t"),
        *("--output", f"wav:{wav}", "--broker", f"mqtt://127.0.0.1:{broker.port}"),
    )
    wait_until(lambda: any(d["track"] for d in ear.documents("player/state")), "music sounds")
    wait_until(lambda: bool(ear.documents("estimate") or ear.documents("signal")), "EEG is read")
    time.sleep(2)
    os.kill(running.children()["engine"], signal.SIGKILL)
    wait_until(
        lambda: [h.payload for h in ear.on("engine/availability")][-2:] == ["offline", "online"],
        "the engine is back",
    )
    for number in (1, 2):
        publish(broker, "cmd/skip", "{}")
        wait_until(lambda n=number: _skips(ear) == n, "another track was chosen")  # type: ignore[misc]
        time.sleep(3)
    running.interrupt()
    assert running.wait() == 0
    samples, rate_hz = read_wav(wav)
    heard = sounding(samples)
    assert len(heard) > 8 * rate_hz
    assert longest_gap_s(heard, rate_hz) <= MAX_GAP_S
    assert not (heard[rate_hz:-rate_hz] == 0).all(axis=1).any(), "a zero frame"
    steady = levels_db(heard[rate_hz : -2 * rate_hz], rate_hz, 0.1)
    assert steady.max() - np.median(steady) <= 0.5
    assert np.median(steady) - steady.min() <= 0.5


def test_a_killed_player_goes_on_with_the_recording(
    product: Product, broker: RealBroker, ear: MosquittoSub, noise: Path, tmp_path: Path
) -> None:
    wav = tmp_path / "session.wav"
    running = product.start(
        *("run", "--plain", "--no-web", "--source", "simulated", "--music", str(noise), "--node", "t"),
        *("--output", f"wav:{wav}", "--broker", f"mqtt://127.0.0.1:{broker.port}"),
    )
    wait_until(lambda: wav.exists() and wav.stat().st_size > 4 * RATE_HZ * 6, "four seconds were recorded")
    before = len(ear.on("player/decision"))
    os.kill(running.children()["player"], signal.SIGKILL)
    size = wav.stat().st_size
    wait_until(lambda: wav.stat().st_size > size + 2 * RATE_HZ * 6, "two more seconds were recorded")
    wait_until(
        lambda: "recovery" in [said["kind"] for said in ear.documents("player/decision")[before:]],
        "the second player says what it plays",
    )
    running.interrupt()
    assert running.wait() == 0
    samples, rate_hz = read_wav(wav)
    assert len(samples) > 6 * rate_hz


def said(**facts: object) -> str:
    """A document of an engine with a wearer."""
    return json.dumps({"at": datetime.now(UTC).isoformat(), "simulated": False, **facts})


def resting(phase: str) -> str:
    """What an engine says of the guided rest."""
    rest = {"baseline_wanted_s": 45, "baseline_trusted_s": 0, "baseline_done": phase == "running"}
    other = {"active": True, "started": None, "model": None, "notes": [], "recording": False}
    other |= {"dwell_s": None, "late": False}
    return said(phase=phase, **rest, **other)


def bells(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    """For each 0.2 s: does the lowest bell of a rest's chime sound over the noise?"""
    n = RATE_HZ // 5
    parts = samples[: len(samples) // n * n, 0].reshape(-1, n) * np.hanning(n)
    spectrum = np.abs(np.fft.rfft(parts, axis=1))
    note = round(440 * 2 ** ((67 - 69) / 12) / 5)
    around = np.median(spectrum[:, note - 40 : note + 40], axis=1)
    return np.asarray(spectrum[:, note - 1 : note + 2].max(axis=1) > 8 * around)


def test_the_begin_and_the_end_of_a_rest_are_heard_over_the_music(
    product: Product, broker: RealBroker, ear: MosquittoSub, noise: Path, tmp_path: Path
) -> None:
    wav = tmp_path / "session.wav"
    running = product.start(
        *("player", "--music", str(noise), "--output", f"wav:{wav}", "--node", "t"),
        *("--broker", f"mqtt://127.0.0.1:{broker.port}"),
    )
    wait_until(lambda: any(d["track"] for d in ear.documents("player/state")), "music sounds")
    headset = {"source": "lsl:t", "device": "", "rate_hz": 256, "channels": [], "reason": ""}
    publish(broker, "headset", said(state="streaming", battery_percent=None, gap_s=None, **headset))
    publish(broker, "session", resting("calibrating"))
    time.sleep(4.5)
    publish(broker, "cmd/speak", '{"cue":"rest_end"}')
    time.sleep(4)
    publish(broker, "cmd/speak", '{"cue":"/etc/passwd"}')
    wait_until(lambda: len(ear.on("cmd/error")) == 1, "the bad cue is refused")
    running.interrupt()
    assert running.wait() == 0
    samples, rate_hz = read_wav(wav)
    heard = sounding(samples)
    assert longest_gap_s(heard, rate_hz) <= MAX_GAP_S
    starts = np.flatnonzero(np.diff(bells(heard).astype(int)) == 1)
    assert 2 <= len(starts) <= 4, "two chimes"
    assert starts[-1] - starts[0] > 1 / 0.2, "one after the other"
    levels = levels_db(heard[2 * rate_hz : -rate_hz], rate_hz, 0.2)
    assert np.median(levels) - levels.min() <= 3.5, "the music went down by no more than a chime asks for"


def _next_arousal(ear: MosquittoSub) -> float | None:
    following = ear.documents("player/state")[-1]["next"]
    return following["mood"]["arousal"] if following else None


@pytest.mark.parametrize(("emotion", "arousal"), [("relaxed", -0.8), ("focused", 0.8)])
def test_the_music_follows_the_mood(
    product: Product,
    broker: RealBroker,
    ear: MosquittoSub,
    noise: Path,
    emotion: Literal["relaxed", "focused"],
    arousal: float,
) -> None:
    publish(broker, "emotion", feeling(emotion, arousal), "-r")
    product.start(
        *("player", "--music", str(noise), "--output", "null", "--node", "t", "--policy", "match"),
        *("--broker", f"mqtt://127.0.0.1:{broker.port}"),
    )
    wait_until(lambda: any(d["track"] for d in ear.documents("player/state")), "music sounds")
    publish(broker, "emotion", feeling(emotion, arousal), "-r")
    wait_until(lambda: _next_arousal(ear) == pytest.approx(arousal, abs=0.05), "what comes next fits")
    publish(broker, "cmd/skip", "{}")
    wait_until(lambda: "skip" in [d["kind"] for d in ear.documents("player/decision")], "a track was chosen")
    decision = next(d for d in ear.documents("player/decision") if d["kind"] == "skip")
    # what was planned before the mood was heard, for calm, may serve a relaxed wearer as well
    assert decision["aim_arousal"] == pytest.approx(arousal, abs=0.15)
    assert decision["chosen"]["mood"]["arousal"] == pytest.approx(arousal, abs=0.05)
    assert decision["why"]
