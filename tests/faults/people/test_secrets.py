"""A password in an address comes in by every way that takes one, and goes out by none."""

from __future__ import annotations

import contextlib
import os
import time
import urllib.request
from pathlib import Path

import pytest

from support.free_ports import free_ports_in_a_row
from support.peers.real_broker import RealBroker
from support.running_product import MosquittoSub, Product
from support.waiting import wait_until

pytestmark = pytest.mark.broker
SECRETS = ("S3cr3t@a/S3cr3t@c", "p?w#S3cr3t")
TRACE = "S3cr3t"


def _fetched(url: str) -> str:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310
        return str(answer.read().decode("utf-8", "replace"))
    return ""


@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_that_is_said_or_kept_holds_it(
    product: Product,
    broker: RealBroker,
    ear: MosquittoSub,
    tmp_path: Path,
    health_ports: dict[str, int],
    secret: str,
) -> None:
    page = f"127.0.0.1:{free_ports_in_a_row(1)}"
    music = tmp_path / "music"
    music.mkdir()
    address = f"http://joe:{secret}@127.0.0.1:1/radio.mp3"
    (music / "one.m3u").write_text(f"#EXTM3U\n{address}\n#EXTINF:-1,{address}\n{address}2\n")
    (music / "two.pls").write_text(f"[playlist]\nFile1={address}3\nTitle1=at {address}\n")
    url = f"mqtt://joe:{secret}@127.0.0.1:{broker.port}"
    running = product.start(
        *("run", "--plain", "--output", f"wav:{tmp_path}/heard.wav", "--web", page),
        *("--source", "simulated", "--speed", "4", "--baseline", "10"),
        *("--music", str(music), "--broker", url, "--record"),
    )
    wait_until(lambda: any(d["library_tracks"] >= 3 for d in ear.documents("player/state")), "the playlists")
    wait_until(lambda: bool(ear.documents("emotion")), "a mood")
    time.sleep(3.0)  # the streams are tried, and cannot be reached
    told = [(port, path) for port in health_ports.values() for path in ("metrics", "health")]
    said = [_fetched(f"http://127.0.0.1:{port}/{path}") for port, path in told]
    assert any("neuroplayer_" in text for text in said), "the metrics were read"
    said += [_fetched(f"http://{page}/{part}") for part in ("", "library", "history")]
    running.interrupt()
    running.wait()
    said += [*running.lines, *running.errors, *(f"{h.topic} {h.payload}" for h in ear.heard)]
    assert [line for line in said if str(tmp_path) in line] == [], "nor where things lie on this machine"
    os.environ["NEUROPLAYER_MQTT_BROKER"] = url
    try:
        for command in (("config", "show"), ("config", "show", "--json"), ("doctor",)):
            asked = product.start(*command)
            asked.wait()
            said += [*asked.lines, *asked.errors]
    finally:
        del os.environ["NEUROPLAYER_MQTT_BROKER"]
    for wrong in (
        ("--broker", f"ftp://joe:{secret}@h"),
        ("--broker", f"joe:{secret}@h:x"),
        ("--music", address),
        ("--source", address),
        ("--output", address),
        ("--web", address),
        ("--node", address),
        ("--wearer", address),
        ("--target", address),
        ("--lsl-out", address),
    ):
        asked = product.start("run", "--duration", "1s", *wrong)
        assert asked.wait() == 2, asked.lines
        said += [*asked.lines, *asked.errors]
    assert [line for line in said if TRACE in line] == []
    state = Path(os.environ["NEUROPLAYER_STATE_DIR"])
    assert [p for p in state.rglob("*") if p.is_file() and TRACE.encode() in p.read_bytes()] == []
