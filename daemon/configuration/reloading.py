"""Reading the configuration anew while the music plays (SIGHUP): what changes at once, and what must wait.

The player adjusts itself while it plays; the engine starts again, which the player does not notice. A broken
configuration changes nothing.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from daemon.configuration.keys import KEYS, Effect
from daemon.configuration.merging import settings_from
from daemon.configuration.reading import ConfigError
from daemon.errors import BadInputError
from daemon.processes.heartbeat import DESCRIPTOR
from daemon.processes.systemd_notify import notify, reloading
from daemon.settings import RoleName, Settings


def fields(effect: Effect) -> tuple[str, ...]:
    """The fields of ``Settings`` whose change has this effect."""
    names = (key.field.partition(".")[0] for key in KEYS if key.field and key.effect == effect)
    return tuple(dict.fromkeys(names))


ENGINE_FIELDS = (*fields("engine"), "source_named")
PLAYER_FIELDS = fields("live")
LATER_FIELDS = fields("later")
"""Changing these would cut the music or tear the roles apart."""

EXIT_RESTART = 75
"""A role that ends with this wants to be started again in the same process, with the new configuration."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reload:
    """What a configuration that was read anew means."""

    settings: Settings
    restart: tuple[RoleName, ...]
    later: tuple[str, ...]
    live: tuple[str, ...]


def _changed(old: Settings, new: Settings, keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key for key in keys if getattr(old, key) != getattr(new, key))


def read_again(asked: Settings) -> Reload:
    """Compare with the settings as they were asked for. Raises ``BadInputError`` for a broken file."""
    new = settings_from(asked.flags)
    # a recording's name holds the time, so only whether there is one can be compared
    record = ("record",) if bool(asked.record) != bool(new.record) else ()
    return Reload(
        new,
        ("engine",) if _changed(asked, new, ENGINE_FIELDS) else (),
        _changed(asked, new, LATER_FIELDS) + record,
        _changed(asked, new, PLAYER_FIELDS),
    )


def read_and_explain(asked: Settings) -> tuple[Reload | None, list[str]]:
    """``read_again`` with what a person should be told, and None for a configuration that is refused."""
    try:
        found = read_again(asked)
    except ConfigError as error:
        return None, [*error.problems, "the configuration in force is kept"]
    except BadInputError as error:
        return None, [str(error), "the configuration in force is kept"]
    lines = [f"{', '.join(found.later)}: changed, in force after the next start"] if found.later else []
    return found, lines


def supervised() -> bool:
    """Whether a supervisor of ours has started this process and will restart it."""
    return DESCRIPTOR in os.environ


class RestartInPlace:
    """For a role of its own service that cannot change while it runs: end in order, then begin again."""

    def __init__(self, asked: Settings) -> None:
        self._asked = asked
        self.status = 0

    def __call__(self) -> None:
        """Look at the configuration; end only when it is good and something has changed."""
        if supervised():
            return
        found, lines = read_and_explain(self._asked)
        for line in lines if found is None else ():
            log.warning("%s", line)
        if found is not None and (found.restart or found.later or found.live):
            self.status = EXIT_RESTART
            os.kill(os.getpid(), signal.SIGTERM)


class PlayerReload:
    """Applies what has changed in the configuration since the last look to the running playback."""

    def __init__(self, asked: Settings, music: object) -> None:
        self._asked, self._music = asked, music

    def __call__(self) -> None:
        """Look again. What a person changed by hand meanwhile stays, unless its key changed too."""
        found, lines = read_and_explain(self._asked)
        for line in lines if not supervised() else ():  # the supervisor has said it already
            log.warning("%s", line)
        if found is None:
            return
        for field in found.live:
            setter(self._music, field)(getattr(found.settings, field))
        self._asked = found.settings


def setter(music: object, field: str) -> Callable[[Any], None]:
    """The method of the playback that takes a setting over: ``set_crossfade`` for ``crossfade_s``."""
    found: Callable[[Any], None] = getattr(music, f"set_{field.removesuffix('_s')}")
    return found


class Supervising(Protocol):
    """What of the supervisor a reload needs."""

    @property
    def settings(self) -> Settings: ...

    def renew(self, settings: Settings, roles: Sequence[RoleName]) -> None: ...

    def hang_up(self, role: RoleName) -> None: ...


class SupervisorReload:
    """Reads the configuration anew for all roles: the engine starts again, the player adjusts itself."""

    def __init__(self, asked: Settings, supervisor: Supervising, notify: Callable[[str], None]) -> None:
        self._asked, self._supervisor, self._notify = asked, supervisor, notify

    def __call__(self) -> None:
        """Look again; a broken configuration changes nothing. systemd is read_and_explain when it is done."""
        reloading()
        found, lines = read_and_explain(self._asked)
        for line in lines:
            self._notify(line)
        if found is not None:
            new = {field: getattr(found.settings, field) for field in (*ENGINE_FIELDS, *PLAYER_FIELDS)}
            self._asked = msgspec.structs.replace(self._asked, **new)
            if not found.settings.source_named:  # what the search at the start has chosen goes on
                del new["source"]
            running = msgspec.structs.replace(self._supervisor.settings, **new)
            self._supervisor.renew(running, found.restart)
            self._supervisor.hang_up("player")
        notify("READY=1")
