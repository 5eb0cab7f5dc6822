"""Files are whole under their final name or not there at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from models.errors import ModelFileError
from models.files.writing import (
    MAX_JSON_BYTES,
    WholeSet,
    read_json,
    sha256_of,
    whole_file,
    whole_folder,
    write_json,
)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_only_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "net.keras"
    with whole_file(path) as draft:
        draft.write_bytes(b"half")
        assert draft.suffix == ".keras"
        assert not path.exists()
        draft.write_bytes(b"whole")
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o777 == 0o644
    assert _names(path.parent) == ["net.keras"]


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    path.write_bytes(b"old")

    def write_half() -> None:
        with whole_file(path) as draft:
            draft.write_bytes(b"new, but h")
            raise RuntimeError("disk")

    with pytest.raises(RuntimeError, match="disk"):
        write_half()
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["net.h5"]


def test_a_folder_appears_only_once_everything_is_in_it(tmp_path: Path) -> None:
    def write_half() -> None:
        with whole_folder(tmp_path / "run") as draft:
            (draft / "net.h5").write_bytes(b"x")
            raise RuntimeError("disk")

    with pytest.raises(RuntimeError, match="disk"):
        write_half()
    assert _names(tmp_path) == []
    with whole_folder(tmp_path / "run", 0o700) as draft:
        (draft / "net.h5").write_bytes(b"x")
        assert not (tmp_path / "run").exists()
    assert _names(tmp_path / "run") == ["net.h5"]
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_a_set_is_committed_together_or_discarded(tmp_path: Path) -> None:
    files = WholeSet()
    files.write(tmp_path / "a.json", lambda draft: write_json(draft, {"a": 1}))
    files.write(tmp_path / "b.bin", lambda draft: draft.write_bytes(b"b"))
    assert not (tmp_path / "a.json").exists()
    files.commit()
    assert _names(tmp_path) == ["a.json", "b.bin"]
    files.write(tmp_path / "c.bin", lambda draft: draft.write_bytes(b"c"))
    files.discard()
    assert _names(tmp_path) == ["a.json", "b.bin"]


def test_a_set_whose_writer_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise OSError("no space")

    files = WholeSet()
    files.write(tmp_path / "a.bin", lambda draft: draft.write_bytes(b"a"))
    with pytest.raises(OSError, match="no space"):
        files.write(tmp_path / "b.bin", fail)
    files.discard()
    assert _names(tmp_path) == []


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"neuro" * 100_000)
    assert sha256_of(path) == hashlib.sha256(b"neuro" * 100_000).hexdigest()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b" " * (MAX_JSON_BYTES + 1), "at most 4000000 bytes are read, got 4000001"),
    ],
    ids=["cut", "deep", "not-utf8", "large"],
)
def test_bad_json_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=f"config.json.*{says}"):
        read_json(path)


def test_missing_json_and_unfinite_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"none.json: No such file"):
        read_json(tmp_path / "none.json")
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "nan.json", {"loss": float("nan")})
