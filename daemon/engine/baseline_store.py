"""The wearer's last rest per headset and feature layout, as JSON readable by them only."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from acquisition.signal import StreamInfo
from inference.baseline.baseline import MIN_SCALE, Baseline
from inference.features.schemas import schema_named

log = logging.getLogger(__name__)

MAX_BYTES = 1_000_000


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    feature_schema: str
    channels: tuple[str, ...]
    centre: list[float | None]
    scale: list[float]
    seconds: float


class BaselineStore:
    """Keeps one rest per source, electrodes and feature layout."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, info: StreamInfo, schema: str, channels: Sequence[str]) -> Baseline | None:
        """The last rest, or None where there is none that can be used."""
        path = self._path(info.source, schema, channels)
        try:
            if path.stat().st_size > MAX_BYTES:
                return None
            stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("the stored rest %s cannot be read: %s", path, error)
            return None
        length = schema_named(schema).length(tuple(channels))
        if (len(stored.centre), len(stored.scale)) != (length, length):
            log.warning("the stored rest %s has %d features, %d are wanted", path, len(stored.centre), length)
            return None
        centre = np.array([np.nan if value is None else value for value in stored.centre])
        scale = np.maximum(np.array(stored.scale), MIN_SCALE)
        return Baseline(schema, tuple(channels), centre, scale, stored.seconds)

    def save(self, info: StreamInfo, baseline: Baseline) -> None:
        """Replace the last rest; a disk that refuses is no reason to stop."""
        stored = _Stored(
            info.source,
            baseline.schema,
            baseline.channels,
            [float(value) if np.isfinite(value) else None for value in baseline.centre],
            [float(value) for value in baseline.scale],
            baseline.seconds,
        )
        path = self._path(info.source, baseline.schema, baseline.channels)
        partial = path.with_suffix(f".{os.getpid()}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            partial.write_bytes(msgspec.json.encode(stored))
            partial.chmod(0o600)
            partial.replace(path)
        except OSError as error:
            log.warning("the rest was not stored: %s", error)

    def _path(self, source: str, schema: str, channels: Sequence[str]) -> Path:
        key = hashlib.sha256("\n".join((source, schema, *channels)).encode()).hexdigest()[:16]
        return self._folder / f"{key}.json"
