"""Runs inside Home Assistant's own environment: a real core with its MQTT integration, told what we publish.

Standard input: one JSON object with ``port``, ``http_port``, ``config_dir``, ``blueprints``, ``entities``,
``calls`` and ``patience_s``. Standard output: one JSON document with every state, and every line of the log
at warning level or above. No file of the product is imported here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant


PLATFORMS = ["sensor", "binary_sensor", "event", "switch", "select", "number", "button", "update"]
EVENT = "event.neuroplayer_den_mood_changed"


def prepare(folder: Path, port: int) -> None:
    """A configuration that holds nothing but the MQTT integration."""
    storage = folder / ".storage"
    storage.mkdir(parents=True)
    (folder / "configuration.yaml").write_text("homeassistant:\n  name: Test\n")
    entry = {
        "entry_id": "mqtt-test",
        "version": 1,
        "minor_version": 1,
        "domain": "mqtt",
        "title": "Mosquitto",
        "data": {"broker": "127.0.0.1", "port": port, "discovery": True},
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "unique_id": None,
        "disabled_by": None,
    }
    document = {"version": 1, "minor_version": 1, "key": "core.config_entries", "data": {"entries": [entry]}}
    (storage / "core.config_entries").write_text(json.dumps(document))


class Log(logging.Handler):
    """Keeps what an administrator would find in the log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("homeassistant"):
            self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}"[:600])


def requirements() -> set[str]:
    """What MQTT, automations and those they stand on need beside the core."""
    import homeassistant.components as components

    found: set[str] = set()
    seen: set[str] = set()
    wanted = ["mqtt", "automation"]
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        manifest = json.loads((Path(components.__path__[0]) / name / "manifest.json").read_text())
        found |= set(manifest.get("requirements", []))
        wanted += manifest.get("dependencies", []) + manifest.get("after_dependencies", [])
    return found


async def start(folder: Path, http_port: int) -> HomeAssistant:
    """A core with its registries, and MQTT as the only integration."""
    from homeassistant import bootstrap, config_entries, core, loader, setup

    try:
        from homeassistant.core_config import async_process_ha_core_config
    except ImportError:  # before 2024.11
        from homeassistant.config import async_process_ha_core_config

    hass = core.HomeAssistant(str(folder))
    hass.config.skip_pip = True
    hass.config.config_dir = str(folder)
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    await async_process_ha_core_config(hass, {"name": "Test", "auth_providers": [], "auth_mfa_modules": []})
    http = {"server_host": "127.0.0.1", "server_port": http_port}
    assert await setup.async_setup_component(hass, "http", {"http": http})
    # the full bootstrap sets these up before MQTT, so that discovery never waits for an import
    for domain in PLATFORMS:
        assert await setup.async_setup_component(hass, domain, {})
    integration = await loader.async_get_integration(hass, "mqtt")
    if hasattr(integration, "async_get_platforms"):  # from 2024.4
        await integration.async_get_platforms(PLATFORMS)
    assert await setup.async_setup_component(hass, "mqtt", {})
    return hass


async def automate(hass: HomeAssistant, blueprints: str, done: list[dict[str, object]]) -> None:
    """Use both blueprints; what their actions would have done is kept in ``done``."""
    from homeassistant import core, setup

    target = Path(hass.config.config_dir) / "blueprints" / "automation" / "neuroplayer"
    shutil.copytree(blueprints, target, ignore=shutil.ignore_patterns("*.md", "*.json"))

    async def note(call: core.ServiceCall) -> None:
        done.append({"service": f"{call.domain}.{call.service}", "data": dict(call.data)})

    hass.services.async_register("scene", "turn_on", note)
    hass.services.async_register("test", "tell", note)
    uses = {
        "mood_to_scene.yaml": {"mood_event": EVENT, "happy_scene": ["scene.sunny"]},
        "headset_lost.yaml": {
            "headset": "binary_sensor.neuroplayer_den_headset",
            "session": "switch.neuroplayer_den_session",
            "notify_action": [{"service": "test.tell"}],
        },
    }
    automations = [
        {"alias": path, "id": path, "use_blueprint": {"path": f"neuroplayer/{path}", "input": given}}
        for path, given in uses.items()
    ]
    assert await setup.async_setup_component(hass, "automation", {"automation": automations})


async def until(true: Callable[[], bool], patience_s: float) -> None:
    """Wait for something that comes true; if it does not, what is shown then tells why."""
    until_s = time.monotonic() + patience_s
    while not true() and time.monotonic() < until_s:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def watch(
    config_dir: str,
    port: int,
    http_port: int,
    blueprints: str,
    entities: list[str],
    calls: list[list[object]],
    patience_s: float,
) -> dict[str, object]:
    """Start the core, wait for the entities, call the services asked for, and tell what it shows."""
    from homeassistant import const

    folder = Path(config_dir)
    prepare(folder, port)
    log = Log()
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger().addHandler(log)
    hass = await start(folder, http_port)
    done: list[dict[str, object]] = []
    await automate(hass, blueprints, done)
    await hass.async_start()

    def settled() -> bool:
        states = [hass.states.get(name) for name in entities]
        return all(state is not None and state.state != const.STATE_UNAVAILABLE for state in states)

    await until(settled, patience_s)
    if settled():  # an old one knows no device discovery
        for domain, service, data in calls:
            await hass.services.async_call(str(domain), str(service), data, blocking=True)  # type: ignore[arg-type]
        await until(lambda: bool(done), patience_s)
    states = {
        state.entity_id: {
            "state": state.state,
            "attributes": json.loads(json.dumps(dict(state.attributes), default=str)),
        }
        for state in hass.states.async_all()
    }
    await hass.async_stop(force=True)
    return {"version": str(const.__version__), "states": states, "log": log.lines, "done": done}


def main() -> None:
    """``--requirements`` lists packages; else read what is wanted, run, and print the result as one line."""
    if sys.argv[1:] == ["--requirements"]:
        sys.stdout.write("\n".join(sorted(requirements())) + "\n")
        return
    result = asyncio.run(watch(**json.loads(sys.stdin.read())))
    sys.stdout.write("\n" + json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
