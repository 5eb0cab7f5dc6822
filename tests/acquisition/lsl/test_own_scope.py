"""How far LSL looks where nobody says it."""

from __future__ import annotations

from pathlib import Path

from acquisition.lsl.discovery import IMAGE_MARK, own_scope


def test_an_image_looks_as_far_as_its_host(tmp_path: Path) -> None:
    assert own_scope(str(tmp_path)) == "machine"
    (tmp_path / IMAGE_MARK).touch()
    assert own_scope(str(tmp_path)) == "link"
    dockerfile = Path(__file__).resolve().parents[3] / "docker" / "Dockerfile"
    assert f"touch /opt/neuroplayer/{IMAGE_MARK}" in dockerfile.read_text("utf-8")
