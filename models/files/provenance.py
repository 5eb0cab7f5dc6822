"""Where a model comes from: data by hash, code by revision, seed and library versions."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

LIBRARIES = ("neuroplayer", "numpy", "scipy", "tensorflow", "tensorflow-cpu", "keras", "h5py", "scikit-learn")


def data_hash(arrays: Mapping[str, Any]) -> str:
    """SHA-256 over names, types, shapes and contents, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        content = array.astype(str) if array.dtype.hasobject else array
        digest.update(f"{name} {content.dtype.str} {content.shape};".encode())
        digest.update(content.tobytes())
    return digest.hexdigest()


def library_versions() -> dict[str, str]:
    """Versions of what a training depends on; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def code_revision() -> str:
    """The commit of the checkout this runs from (``+changes`` where files differ), or the wheel's version."""
    root = Path(__file__).resolve().parents[2]
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return f"{commit}+changes" if _git(root, "status", "--porcelain", "-uno") else commit
    except (OSError, subprocess.SubprocessError):
        return library_versions().get("neuroplayer", "unknown")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()


def provenance(data: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """What goes into a model's configuration and card."""
    return {
        "data_sha256": data_hash(data),
        "code_revision": code_revision(),
        "seed": seed,
        "libraries": library_versions(),
        "machine": platform.machine(),
        "created": utc_now().isoformat(timespec="seconds"),
    }


def utc_now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def timestamped(name: str) -> str:
    """``name_20260131-142501``: sorts by time and never meets an older one of the same name."""
    return f"{name}_{utc_now():%Y%m%d-%H%M%S}"
