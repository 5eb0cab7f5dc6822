"""``docs/mqtt/README.md`` names every topic, its commands are obeyed, and its access list suffices."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from daemon.configuration.keys import BY_NAME
from daemon.home.link import HomeLink
from daemon.mqtt import codec, documents, topics
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.transport.link import MqttLink
from daemon.settings import BrokerSettings, Settings
from support.peers.real_broker import RealBroker
from support.waiting import until

PAGE = Path(__file__).resolve().parents[3] / "docs" / "mqtt" / "README.md"
TEXT = PAGE.read_text("utf-8")
COMMANDS = dict(re.findall(r"^\| \[`cmd/(\w+)`\]\(\S+\) \| (.+) \| \w+ \|$", TEXT, re.MULTILINE))
BLOCKS = dict(re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))


def test_every_topic_has_its_row_and_schema() -> None:
    assert set(COMMANDS) == set(topics.COMMANDS)
    for name in documents.DOCUMENTS:
        assert f"[`{name}`](" in TEXT, name
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (PAGE.parent / target).exists(), target


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_examples_are_obeyed(name: str) -> None:
    examples = re.findall(r"`(\{[^`]*\})`", COMMANDS[name])
    assert examples
    for example in examples:
        codec.decode_command(name, example.encode())


def test_the_configuration_shown_has_keys_that_exist() -> None:
    keys = re.findall(r"^(\w+) = ", BLOCKS["toml"], re.MULTILINE)
    assert len(keys) == 6
    assert all(f"mqtt.{key}" in BY_NAME for key in keys)


@pytest.mark.broker
async def test_the_access_list_shown_suffices(tmp_path: Path, free_port: int) -> None:
    (shown,) = re.findall(r"^```\n(user neuroplayer\n.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    rules, passwords = tmp_path / "acl", tmp_path / "passwords"
    rules.write_text(f"{shown}\nuser listener\ntopic read #\n")
    passwords.write_text("neuroplayer:hush\nlistener:hush\n")
    passwords.chmod(0o600)
    await asyncio.to_thread(subprocess.run, ["mosquitto_passwd", "-U", str(passwords)], check=True)
    extra = f"user root\nacl_file {rules}\npassword_file {passwords}"
    broker = RealBroker(tmp_path, free_port, extra, anonymous=False)
    heard: list[str] = []
    try:
        await asyncio.to_thread(broker.start)
        login = BrokerSettings(port=free_port, username="neuroplayer", password="hush")
        settings = Settings(node="home", broker=login)
        ours = HomeLink(
            settings,
            "player",
            Outlet(topics.Topics("home")),
            on_message=lambda topic, _payload, _retained: heard.append(topic),
            subscriptions=["neuroplayer/home/cmd/skip"],
        )
        theirs = MqttLink(
            BrokerSettings(port=free_port, username="listener", password="hush"),
            "listener",
            on_message=lambda topic, _payload, _retained: heard.append(f"listener {topic}"),
            subscriptions=["#"],
        )
        async with ours, theirs:
            await until(lambda: ours.link.connected.is_set() and theirs.connected.is_set())
            ours.link.retain("neuroplayer/home/player/state", b"{}")
            ours.link.send("neuroplayer/home/cmd/skip", b"{}", qos=1)
            await until(lambda: "listener neuroplayer/home/player/state" in heard, "a state is let through")
            await until(lambda: any(t.startswith("listener homeassistant/") for t in heard), "discovery too")
            await until(lambda: "neuroplayer/home/cmd/skip" in heard, "and a command")
    finally:
        await asyncio.to_thread(broker.stop)
