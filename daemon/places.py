"""Where the product keeps its files."""

from __future__ import annotations

import os
from pathlib import Path

APP = "neuroplayer"
LOG_FILE = "neuroplayer.log"
"""In the state folder: what the roles say while the terminal is drawn on."""


def _folder(variable: str, kind: str) -> Path:
    given = os.environ.get(variable)
    if given:
        return Path(given)
    import platformdirs

    return Path(str(getattr(platformdirs, kind)(APP)))


def cache_dir() -> Path:
    """What can be made again: the library's analysis, demo music."""
    return _folder("NEUROPLAYER_CACHE_DIR", "user_cache_dir")


def state_dir() -> Path:
    """What is the wearer's: baselines, labels, recordings, the place in the music, logs."""
    return _folder("NEUROPLAYER_STATE_DIR", "user_state_dir")


def config_file() -> Path:
    """The one configuration file, which need not exist."""
    return (
        _folder("NEUROPLAYER_CONFIG", "user_config_dir") / "neuroplayer.toml"
        if not os.environ.get("NEUROPLAYER_CONFIG")
        else Path(os.environ["NEUROPLAYER_CONFIG"])
    )


def recordings_dir(state_folder: str | Path) -> Path:
    """Where the wearer's recorded sessions lie."""
    return Path(state_folder) / "recordings"


def decisions_log(state_folder: str | Path, recording: str) -> Path:
    """Where the player writes down what its chooser is asked in the session of that name."""
    return recordings_dir(state_folder) / f"{recording}.decisions.jsonl"


def private_folder(path: Path) -> Path:
    """The folder, made with mode 0700 where it was missing."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def own_valence(state: Path) -> Path:
    """What the wearer's calibration of pleasant against unpleasant has learnt, where it beat chance."""
    return state / "models" / "valence.json"


def own_networks(state: Path) -> tuple[Path, Path]:
    """Where the wearer's networks lie: those trained or added, and those fitted to the wearer."""
    return state / "models", state / "models" / "personalized"
