"""Writing files so that a half-written one never stands under its final name."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.errors import ModelFileError

MAX_JSON_BYTES = 4_000_000


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary neighbour (same suffix) that takes the final name only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(0o644)
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, mode: int = 0o755) -> Iterator[Path]:
    """Yield a temporary neighbour that takes the final name only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=mode)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=path.parent))
    try:
        yield draft
        draft.chmod(mode)
        draft.replace(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


class WholeSet:
    """Several files that belong together: all written under other names first, then renamed."""

    def __init__(self) -> None:
        self._drafts: list[tuple[Path, Path]] = []

    def write(self, path: Path, save: Callable[[Path], object]) -> Path:
        """Let ``save`` write a draft of ``path``; returns the draft."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        self._drafts.append((Path(name), path))
        save(Path(name))
        return Path(name)

    def commit(self) -> None:
        """Give every draft its final name: what was written first, which the rest describe, takes it last."""
        for draft, path in reversed(self._drafts):
            draft.chmod(0o644)
            draft.replace(path)
        self._drafts.clear()

    def discard(self) -> None:
        """Remove what was not committed."""
        for draft, _ in self._drafts:
            draft.unlink(missing_ok=True)
        self._drafts.clear()


def sha256_of(path: Path) -> str:
    """Hex digest of a file, read in pieces."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write JSON (finite numbers only, sorted keys) directly; wrap in ``whole_file`` for a final name."""
    text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read bounded JSON. Raises ``ModelFileError`` naming the file and the rule."""
    try:
        size = path.stat().st_size
        if size > MAX_JSON_BYTES:
            raise ModelFileError(f"{path}: at most {MAX_JSON_BYTES} bytes are read, got {size}")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: not JSON: {error!s:.120}") from error
