"""Settings from the environment, ``NEUROPLAYER_<SECTION>_<KEY>``."""

from __future__ import annotations

import os
from collections.abc import Mapping

from daemon.configuration.keys import KEYS, PREFIX
from daemon.configuration.reading import ConfigError, Reading, Values, did_you_mean
from daemon.safe_text import shown

MAX_TOLD = 5
ELSEWHERE = frozenset(
    (
        "CACHE_DIR",
        "CONFIG",
        "EMBEDDED_BROKER",
        "HEARTBEAT_FD",
        "INTERNET",
        "LENT_HOME",
        "PROFILE",
        "STATE_DIR",
        "VIBENET_PYTHON",
    )
)
"""Variables that begin as ours do and are read elsewhere."""


def read_environment(environment: Mapping[str, str] = os.environ) -> Values:
    """The values of ``NEUROPLAYER_<SECTION>_<KEY>``. Raises ``ConfigError`` with every problem."""
    reading = Reading("environment")
    for key in KEYS:
        text = environment.get(key.variable)
        if text is not None and text != "":
            reading.add(key.name, text)
    if reading.problems:
        raise ConfigError(reading.problems)
    return reading.values


def unknown_variables(environment: Mapping[str, str] = os.environ) -> str:
    """One line about the variables that begin as ours do and set nothing; empty where there is none."""
    known = {key.variable for key in KEYS} | {PREFIX + name for name in ELSEWHERE}
    unknown = sorted(n for n, text in environment.items() if n.startswith(PREFIX) and text and n not in known)
    if not unknown:
        return ""
    more = f" and {len(unknown) - MAX_TOLD} more" if len(unknown) > MAX_TOLD else ""
    told = ", ".join(f"{shown(name, 80)}{did_you_mean(name, known)}" for name in unknown[:MAX_TOLD])
    return f"environment: no setting of this program: {told}{more}"
