"""Changed copies of the small test network, for everything that can be wrong with a stored file."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from inference.networks.manifest import Manifest, read_manifest

TINY = Path(__file__).resolve().parents[2] / "inference" / "data" / "tiny"


def tiny() -> Manifest:
    """The network as it is."""
    return read_manifest(TINY / "manifest.json")


def copy_tiny(folder: Path, **changes: Any) -> Manifest:
    """A copy with other fields in its manifest."""
    shutil.copytree(TINY, folder, dirs_exist_ok=True)
    document = json.loads((folder / "manifest.json").read_text()) | changes
    (folder / "manifest.json").write_text(json.dumps(document))
    return read_manifest(folder / "manifest.json")


def with_content(folder: Path, variant: str, content: bytes) -> Manifest:
    """A copy whose file of one variant holds ``content`` and whose manifest has the hash of it."""
    shutil.copytree(TINY, folder, dirs_exist_ok=True)
    document = json.loads((folder / "manifest.json").read_text())
    entry = document["files"][variant]
    (folder / entry["path"]).write_bytes(content)
    entry |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "manifest.json").write_text(json.dumps(document))
    return read_manifest(folder / "manifest.json")
