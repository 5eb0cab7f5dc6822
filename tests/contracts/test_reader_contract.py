"""What every reader of recordings promises, held against a file of each format: a new one must bring one."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import numpy as np
import pytest

import acquisition.readers
from acquisition.port import UnknownSourceError
from acquisition.readers import Recording, open_recording
from acquisition.readers.replay_source import ReplaySource
from support.recordings.writers import RATE_HZ, WRITERS

READERS = {
    f"{module.__name__}.{name}"
    for path in Path(acquisition.readers.__file__).parent.glob("*.py")
    if path.stem not in ("__init__", "opening")
    for module in [importlib.import_module(f"acquisition.readers.{path.stem}")]
    for name, made in inspect.getmembers(module, inspect.isfunction)
    if name.startswith("read_") and made.__module__ == module.__name__
    if made.__annotations__.get("return") == "Recording"
}
every_format = pytest.mark.parametrize("kind", WRITERS)


def test_every_reader_is_asked_and_has_a_file_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    for reader in READERS:
        module, _, name = reader.rpartition(".")
        whole = getattr(importlib.import_module(module), name)

        def noted(*given: object, reader: str = reader, whole: object = whole) -> Recording:
            asked.add(reader)
            found: Recording = whole(*given)  # type: ignore[operator]
            return found

        monkeypatch.setattr(f"{module}.{name}", noted)
    for kind, write in WRITERS.items():
        folder = tmp_path / kind
        folder.mkdir()
        open_recording(write(folder))
    assert READERS - asked == set(), (
        "no file of WRITERS in tests/support/recordings/writers.py is read by them: they lack their line in "
        "acquisition/readers/opening.py, or a file of their format there"
    )


@every_format
def test_it_gives_microvolts_by_named_channels_on_an_even_grid(kind: str, tmp_path: Path) -> None:
    found = open_recording(WRITERS[kind](tmp_path))
    n_channels, n_samples = found.samples_uv.shape
    assert len(found.info.channels) == len(set(found.info.channels)) == n_channels >= 1
    assert all(name and name.isprintable() for name in found.info.channels)
    assert found.times_s.shape == (n_samples,)
    assert np.diff(found.times_s) == pytest.approx(1 / found.info.rate_hz, rel=1e-6)
    assert found.samples_uv.dtype == np.float64
    assert found.samples_uv.flags.c_contiguous
    assert np.isfinite(found.samples_uv).all()
    assert 1 < np.abs(found.samples_uv).max() < 2000, "microvolts"
    assert found.duration_s == pytest.approx(n_samples / found.info.rate_hz)
    assert found.lost is None or found.lost.shape == (n_samples,)
    assert 50 <= found.info.rate_hz <= RATE_HZ


@every_format
def test_it_reads_the_same_twice_and_leaves_the_file_alone(kind: str, tmp_path: Path) -> None:
    path = WRITERS[kind](tmp_path)
    content = path.read_bytes()
    one, two = open_recording(path), open_recording(str(path))
    assert np.array_equal(one.samples_uv, two.samples_uv)
    assert one.info == two.info
    assert path.read_bytes() == content


@every_format
def test_it_is_replayed_like_any_source(kind: str, tmp_path: Path) -> None:
    path = WRITERS[kind](tmp_path)
    wanted = open_recording(path)
    source = ReplaySource(str(path), speed=None)
    info = source.open()
    chunk = source.poll(1.0)
    source.close()
    assert chunk is not None
    assert (info.channels, info.rate_hz) == (wanted.info.channels, wanted.info.rate_hz)
    assert chunk.samples_uv[:, 0] == pytest.approx(wanted.samples_uv[:, 0])


@every_format
def test_half_a_file_is_read_or_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    path = WRITERS[kind](tmp_path)
    content = path.read_bytes()
    for keep in (0, 1, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:keep])
        said = _refusal(path)
        assert not said or (path.name in said and "\n" not in said)


def _refusal(path: Path) -> str:
    try:
        open_recording(path)
    except UnknownSourceError as error:
        return str(error)
    return ""
