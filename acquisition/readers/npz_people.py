"""Sets of people in one ``.npz`` file: arrays ``Sxx_rest`` and ``Sxx_arith`` (int16) and ``__meta__`` (JSON).

The fragment behind ``#`` chooses the person and the part: ``set.npz#S03_rest``, ``set.npz#S03`` for rest
and then task joined, and nothing for the first person joined.
"""

from __future__ import annotations

import contextlib
import json
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.grid.even_grid import lay_evenly
from acquisition.grid.recording import Measured, Recording, check_samples
from acquisition.montage import canonical
from acquisition.port import UnknownSourceError
from acquisition.recording.input_file import check_file
from acquisition.signal import FloatArray

PARTS = ("rest", "arith")
MAX_META_BYTES = 1_000_000
LEAST_BYTES = 2
"""A sample is int16 or wider."""
DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    SyntaxError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""All that numpy and zipfile raise over damaged bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class PeopleSet:
    """What a set holds: ``people`` are prefixes, ``channels`` today's 10-10 names, ``keys`` the arrays."""

    path: Path
    people: tuple[str, ...]
    channels: tuple[str, ...]
    rate_hz: float
    scale_uv: float
    keys: tuple[str, ...]
    unpacked_bytes: Mapping[str, int]

    def part_uv(self, key: str) -> FloatArray:
        """Samples (n_channels, n_samples) in microvolts of ``Sxx_rest`` or ``Sxx_arith``.

        Raises ``UnknownSourceError`` for a part that is not there, damaged or too large.
        """
        if key not in self.keys:
            some = ", ".join(f"{person}_rest" for person in self.people[:3])
            raise UnknownSourceError(f"{self.path}: no part {key!r}; there are {some} and so on")
        unpacked = max(self.unpacked_bytes.get(name, 0) for name in (key, f"{key}.npy"))
        check_samples(self.path, 1, unpacked // LEAST_BYTES)
        try:
            with _opened(self.path) as arrays:
                values = np.asarray(arrays[key])
        except DAMAGED as error:
            raise UnknownSourceError(f"{self.path}: {key} is damaged: {error}") from error
        if values.ndim != 2 or values.shape[0] != len(self.channels) or values.dtype.kind not in "iuf":
            raise UnknownSourceError(
                f"{self.path}: {key} must have {len(self.channels)} rows of samples, got shape {values.shape}"
            )
        return np.asarray(values, dtype=np.float64) * self.scale_uv


def open_people(path: Path) -> PeopleSet:
    """Open a set; raises ``UnknownSourceError``. Nothing in the file is unpickled."""
    check_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked_bytes = {one.filename: one.file_size for one in archive.infolist()}
        if max(unpacked_bytes.get(name, 0) for name in ("__meta__", "__meta__.npy")) > MAX_META_BYTES:
            raise UnknownSourceError(f"{path}: __meta__ may have {MAX_META_BYTES} bytes at most")
        with _opened(path) as arrays:
            meta, keys = json.loads(str(arrays["__meta__"])), tuple(arrays.files)
        channels = tuple(canonical(str(name)) for name in meta["channels"])
        rate_hz, scale_uv = float(meta["fs"]), float(meta["scale_uV_per_lsb"])
    except (*DAMAGED, TypeError) as error:
        raise UnknownSourceError(f"{path}: not a people set with __meta__: {error}") from error
    people = tuple(sorted({key.rsplit("_", 1)[0] for key in keys if key.endswith("_rest")}))
    if not people:
        raise UnknownSourceError(f"{path}: no array is called Sxx_rest")
    return PeopleSet(path, people, channels, rate_hz, scale_uv, keys, unpacked_bytes)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The archive, closed at the end whatever happens: numpy leaves open what it was given by name."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
        yield loaded


def read_npz_people(path: Path, fragment: str) -> Recording:
    """One person's part, or rest and task joined; raises ``UnknownSourceError``."""
    people = open_people(path)
    wanted = fragment or people.people[0]
    keys = [wanted] if wanted.endswith(PARTS) else [f"{wanted}_{part}" for part in PARTS]
    samples_uv = np.concatenate([people.part_uv(key) for key in keys], axis=1)
    return lay_evenly(Measured(path, f"people set, {wanted}", people.channels, (people.rate_hz,), samples_uv))
