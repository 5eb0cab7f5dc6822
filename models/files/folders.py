"""Where this package keeps its files: checkpoints, personal models, experiments and those shipped."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]


def shipped() -> Path:
    """The networks that come with the package."""
    return HERE / "pretrained"


def writable() -> Path:
    """The folder that holds ``checkpoints/``, ``personalized/`` and ``experiments/``.

    ``NEUROPLAYER_STATE_DIR/models`` where that is set; this package's folder in a checkout; else a folder
    of the person's state.
    """
    given = os.environ.get("NEUROPLAYER_STATE_DIR")
    if given:
        return Path(given) / "models"
    if (HERE.parent / "pyproject.toml").is_file() and os.access(HERE, os.W_OK):
        return HERE
    import platformdirs

    return Path(platformdirs.user_state_dir("neuroplayer")) / "models"


def checkpoints() -> Path:
    """Best-only checkpoints and what a resumed training needs."""
    return writable() / "checkpoints"


def personalized() -> Path:
    """Versions of the wearer's own models."""
    return writable() / "personalized"


def experiments() -> Path:
    """Trained models by name and time, with their reports."""
    return writable() / "experiments"
