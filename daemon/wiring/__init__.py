"""The composition root: the only place where ports meet their adapters, one file a role.

Each role's file is imported by the process that runs it, so that none carries what only another needs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from daemon.errors import BadInputError
from daemon.settings import RoleName, Settings

ROLES: dict[RoleName, str] = {
    "broker": "daemon.broker:run_broker",
    "engine": "daemon.wiring.engine:run_engine",
    "web": "daemon.wiring.web:run_web",
    "player": "daemon.wiring.player:run_player",
    "view": "daemon.wiring.view:run_view",
}


def load_role(role: RoleName) -> Callable[[Settings], int]:
    """Import what a role needs; what is returned runs it. Raises ``BadInputError`` for an unknown role."""
    if role not in ROLES:
        raise BadInputError(f"role {role!r} is not part of this build, one of {', '.join(ROLES)}")
    module, _, name = ROLES[role].partition(":")
    run: Callable[[Settings], int] = getattr(importlib.import_module(module), name)
    return run


def run_role(role: RoleName, settings: Settings) -> int:
    """Run a role in this process until it is told to stop; returns the exit status.

    Raises ``BadInputError`` for settings that cannot be.
    """
    return load_role(role)(settings)
