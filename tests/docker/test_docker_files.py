"""The container files: linted, and the access list held against what the roles really need."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from daemon.configuration.keys import KEYS
from daemon.health.endpoint import PORT_OF
from daemon.mqtt import topics

DOCKER = Path(__file__).resolve().parents[2] / "docker"
SCRIPTS = Path(sys.executable).parent


def _compose() -> dict[str, Any]:
    found = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    assert isinstance(found, dict)
    return found


def test_hadolint_has_nothing_to_say() -> None:
    binary = shutil.which("hadolint", path=str(SCRIPTS))
    if binary is None:
        pytest.skip("hadolint has no wheel for this platform")
    done = subprocess.run([binary, str(DOCKER / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_compose_keeps_its_schema() -> None:
    check = [str(SCRIPTS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*check, str(DOCKER / "compose.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_containers_are_confined_and_open_nothing_to_the_network() -> None:
    services = _compose()["services"]
    assert set(services) == {"broker", "engine", "player", "web", "home-assistant"}
    for name in ("broker", "engine", "player", "web"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert services["home-assistant"]["profiles"] == ["home-assistant"]


def test_the_environment_names_keys_that_exist() -> None:
    known = {key.variable for key in KEYS}
    for service in _compose()["services"].values():
        assert set(service.get("environment", {})) <= known


def test_each_health_check_asks_the_port_of_its_role() -> None:
    services = _compose()["services"]
    for role in ("engine", "player", "web"):
        port = int(services[role]["environment"]["NEUROPLAYER_HEALTH_PORT"]) + PORT_OF[role]
        assert f"'http://127.0.0.1:{port}/health'" in services[role]["healthcheck"]["test"][-1]


def _rules() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    user = ""
    for line in (DOCKER / "mosquitto.acl").read_text().splitlines():
        words = line.split()
        if words[:1] == ["user"]:
            user = words[1]
        elif words[:1] == ["topic"]:
            found.setdefault(user, []).append((words[1], words[2]))
    return found


def test_the_access_list_lets_each_role_obey_its_commands() -> None:
    rules = _rules()
    node = "neuroplayer/+/"
    for command in topics.ENGINE_COMMANDS:
        assert ("read", f"{node}cmd/{command}") in rules["engine"]
    assert ("read", f"{node}cmd/+") in rules["player"]
    assert ("deny", f"{node}cmd/record") in rules["homeassistant"]
    assert not [rule for rule in rules["player"] if rule[0] != "read" and "emotion" in rule[1]]
    assert not [rule for rule in rules["engine"] if rule[0] != "read" and "cmd/session" in rule[1]]
    assert ("deny", f"{node}cmd/record") in rules["homeassistant"]
