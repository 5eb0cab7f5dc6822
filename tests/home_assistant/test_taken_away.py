"""Real Home Assistant: a node that is no more leaves nothing behind, and no line in the log."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from daemon.home.entities import ENTITIES
from daemon.settings import Style
from support.peers.announced_home import announced
from support.peers.home_assistant import PYTHON, HomeAssistant
from support.peers.real_broker import RealBroker

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.broker,
    pytest.mark.skipif(PYTHON is None, reason="NEUROPLAYER_HA_PYTHON names no Python that has homeassistant"),
]
COUNT = sum(map(len, ENTITIES.values()))


async def _neuroplayer(folder: Path, *words: str) -> str:
    places = {f"XDG_{name}_HOME": str(folder / name) for name in ("STATE", "CACHE", "CONFIG")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from daemon.cli import main; main()", *words),
        env={**os.environ, **places},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


@pytest.mark.parametrize("style", ["component", "device"])
@pytest.mark.parametrize("command", [("home-assistant", "remove"), ("forget", "--yes", "--wearer", "den")])
async def test_a_removed_node_leaves_nothing_in_home_assistant(
    command: tuple[str, ...], style: Style, broker: RealBroker, tmp_path: Path
) -> None:
    async with HomeAssistant(tmp_path / "ha", broker.port) as home:
        if style == "device" and not await home.tell("knows_devices"):
            pytest.skip("this Home Assistant knows one style")
        async with announced(broker.port, style), announced(broker.port, style, node="other"):
            await home.shown(lambda now: len([n for n in now if "_den_" in n]) == COUNT)
            await home.shown(lambda now: len([n for n in now if "_other_" in n]) == COUNT)
        given = ("--node", "den", "--broker", f"mqtt://127.0.0.1:{broker.port}")
        said = await _neuroplayer(tmp_path, *command, *given)
        states = await home.shown(lambda now: not [name for name in now if "_den_" in name])
        assert not [name for name in states if "_den_" in name], said
        assert len([name for name in states if "_other_" in name]) == COUNT
        assert await home.tell("devices") == ["Neuroplayer other"]
        assert await home.tell("complaints") == []
        await _neuroplayer(tmp_path, *command, *given)
        assert await home.tell("complaints") == []
