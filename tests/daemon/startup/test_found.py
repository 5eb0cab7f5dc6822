from __future__ import annotations

from pathlib import Path

import pytest

from daemon.settings import BrokerSettings, Settings, WebSettings
from daemon.startup import headline


def test_a_sound_server_is_seen_by_its_socket(tmp_path: Path) -> None:
    assert not headline.sound_server({"XDG_RUNTIME_DIR": str(tmp_path)})
    (tmp_path / "pipewire-0").touch()
    assert headline.sound_server({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert headline.sound_server({"XDG_RUNTIME_DIR": "/nowhere", "PULSE_SERVER": "tcp:host"})


def test_beyond_loopback_the_address_ends_with_the_token(tmp_path: Path) -> None:
    web = WebSettings(host="192.168.1.7", port=9000)
    told = "\n".join(headline.headline(Settings(web=web, state_dir=str(tmp_path))))
    token = (tmp_path / "web-token").read_text().strip()
    assert f"Page: http://192.168.1.7:9000/?token={token}" in told
    local = "\n".join(headline.headline(Settings(web=WebSettings(host="::1"), state_dir=str(tmp_path))))
    assert "Page: http://[::1]:8765" in local
    assert token not in local


def test_a_card_is_seen_by_its_playback_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headline, "sound_server", lambda: False)
    monkeypatch.setattr("sys.platform", "linux")
    (tmp_path / "pcmC0D0c").touch()
    assert not headline.sound_device(tmp_path)
    (tmp_path / "pcmC0D0p").touch()
    assert headline.sound_device(tmp_path)


def test_what_was_found_is_told_in_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headline, "sound_device", lambda: False)
    broker = BrokerSettings(host="home.local", username="me", password="secret")
    told = "\n".join(headline.headline(Settings(broker=broker, web=WebSettings(), music=("/music",))))
    for words in (
        "simulated",
        "/music",
        "no sound device",
        "mqtt://home.local:1883",
        "http://127.0.0.1:8765",
    ):
        assert words in told
    assert "secret" not in told
