"""Covers: taken out of a file by a process of its own, made small and harmless."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from player.library.artwork import NO_PICTURE, SIDE, small_jpeg
from support.sounds.cover_making import id3_with, mp3, picture


def asked(root: Path, path: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "player.library.artwork", str(root), str(path)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


def test_a_cover_comes_out_small_and_square(tmp_path: Path) -> None:
    done = asked(tmp_path, mp3(tmp_path / "a.mp3", id3_with(picture())))
    assert done.returncode == 0, done.stderr
    found = Image.open(io.BytesIO(done.stdout))
    assert (found.format, found.size) == ("JPEG", (SIDE, SIDE))
    red, green, _ = found.getpixel((10, 10))  # type: ignore[misc]
    assert red > 150 > green


@pytest.mark.parametrize(
    "tag",
    [b"", id3_with(b"no picture at all"), id3_with(picture()[:80])],
    ids=["no cover", "no picture", "torn picture"],
)
def test_what_is_no_picture_is_none(tmp_path: Path, tag: bytes) -> None:
    done = asked(tmp_path, mp3(tmp_path / "a.mp3", tag))
    assert (done.returncode, done.stdout) == (NO_PICTURE, b"")


def test_nothing_outside_the_music_is_opened(tmp_path: Path) -> None:
    root = tmp_path / "music"
    root.mkdir()
    outside = mp3(tmp_path / "a.mp3", id3_with(picture()))
    (root / "link.mp3").symlink_to(outside)
    for path in (outside, root / "link.mp3", root / "none.mp3", root):
        assert asked(root, path).returncode == NO_PICTURE


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    size = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + size
    assert small_jpeg(header + b"\0" * 60) is None
    assert small_jpeg(b"<svg xmlns='http://www.w3.org/2000/svg'/>") is None
