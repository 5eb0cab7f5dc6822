"""What a configuration that is read anew does to the source that a search had chosen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from daemon.configuration.merging import settings_from
from daemon.configuration.reloading import SupervisorReload
from daemon.settings import RoleName, Settings


class Supervisor:
    """Notes what it is told."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.renewed: list[tuple[RoleName, ...]] = []

    def renew(self, settings: Settings, roles: Sequence[RoleName]) -> None:
        self.settings = settings
        self.renewed.append(tuple(roles))

    def hang_up(self, role: RoleName) -> None:
        assert role == "player"


@pytest.fixture
def file() -> Path:
    path = Path(os.environ["NEUROPLAYER_CONFIG"])
    path.write_text("[music]\nvolume = 0.5\n")
    return path


def test_the_headset_that_was_found_is_kept_until_another_source_is_named(file: Path) -> None:
    asked = settings_from({"broker": "mqtt://127.0.0.1:1"})
    assert not asked.source_named
    supervisor = Supervisor(msgspec.structs.replace(asked, source="lsl:Muse"))
    reload = SupervisorReload(asked, supervisor, print)
    for volume in ("0.25", "0.75"):
        file.write_text(f"[music]\nvolume = {volume}\n")
        reload()
        assert supervisor.renewed.pop() == (), "the engine reads on"
        assert (supervisor.settings.source, supervisor.settings.volume) == ("lsl:Muse", float(volume))
    file.write_text('[session]\nsource = "simulated"\n')
    reload()
    assert supervisor.renewed.pop() == ("engine",)
    assert supervisor.settings.source == "simulated"
    file.write_text("")
    reload()
    assert supervisor.settings.source == "simulated", "nothing is looked for in the middle of a session"
