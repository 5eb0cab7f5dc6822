"""Runs inside Home Assistant's own environment: a real core that does what it is told, step by step.

Arguments: the folder of the configuration, the port of the broker and one for HTTP. A line of standard input
is a JSON list, a step's name and what it is given; standard output answers with one line of JSON. No file of
the product is imported here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import real_home_assistant as peer

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant


class Told:
    """One method a step."""

    def __init__(self, hass: HomeAssistant, log: peer.Log) -> None:
        self.hass, self.log = hass, log

    async def states(self) -> dict[str, Any]:
        """Every entity's state and attributes."""
        await self.hass.async_block_till_done()
        shown = {s.entity_id: [s.state, dict(s.attributes)] for s in self.hass.states.async_all()}
        return dict(json.loads(json.dumps(shown, default=str)))

    async def complaints(self) -> list[str]:
        """The log's lines from warnings on, each told once."""
        await self.hass.async_block_till_done()
        lines, self.log.lines = self.log.lines, []
        return lines

    async def call(self, domain: str, service: str, data: dict[str, Any]) -> None:
        """Call a service."""
        await self.hass.services.async_call(domain, service, data, blocking=True)

    async def rename(self, entity_id: str, new: str, name: str) -> None:
        """What a person does in the entity's dialogue."""
        from homeassistant.helpers import entity_registry

        entity_registry.async_get(self.hass).async_update_entity(entity_id, new_entity_id=new, name=name)

    async def registered(self) -> list[list[str | None]]:
        """Id and name given by a person, of every registered entity."""
        from homeassistant.helpers import entity_registry

        return [[e.entity_id, e.name] for e in entity_registry.async_get(self.hass).entities.values()]

    async def devices(self) -> list[str | None]:
        """The names of the devices."""
        from homeassistant.helpers import device_registry

        return [device.name for device in device_registry.async_get(self.hass).devices.values()]

    async def knows_devices(self) -> bool:
        """Whether one message may announce a whole device."""
        from homeassistant import const

        return (const.MAJOR_VERSION, const.MINOR_VERSION) >= (2024, 11)

    async def record(self) -> None:
        """Keep a history from now on."""
        from homeassistant import setup
        from homeassistant.helpers import recorder

        recorder.async_initialize_recorder(self.hass)
        assert await setup.async_setup_component(self.hass, "recorder", {"recorder": {"commit_interval": 1}})

    async def rows(self) -> list[list[Any]]:
        """How many rows of states and of attributes were stored of each entity."""
        from homeassistant.components.recorder import get_instance

        await get_instance(self.hass).async_block_till_done()
        database = sqlite3.connect(Path(self.hass.config.config_dir) / "home-assistant_v2.db")
        query = (
            "select states_meta.entity_id, count(*), count(distinct attributes_id) from states "
            "join states_meta using (metadata_id) group by states_meta.entity_id"
        )
        return [list(row) for row in database.execute(query)]


async def serve(folder: Path, port: int, http_port: int) -> None:
    """Until standard input ends."""
    if not (folder / ".storage").exists():
        peer.prepare(folder, port)
    log = peer.Log()
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger().addHandler(log)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    hass = await peer.start(folder, http_port)
    await hass.async_start()
    told = Told(hass, log)
    while line := await reader.readline():
        name, *given = json.loads(line)
        answer = await getattr(told, name)(*given)
        sys.stdout.write(f"answer {json.dumps(answer)}\n")
        sys.stdout.flush()
    await hass.async_stop(force=True)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
