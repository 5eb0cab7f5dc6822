"""The list of recordings: what is shown of them, and that forgetting deletes these files and no others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from acquisition.recording.consent import Consent, write_consent
from daemon.web.state.recordings import Recordings, size_words

GIVEN = "2026-03-01T20:00:00+00:00"
LINK = "2026-03-03T20-00-00Z-home"
NAME = "2026-03-01T20-00-00Z-home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "recordings"
    found.mkdir()
    for name, growing in ((NAME, False), ("2026-03-02T20-00-00Z-home-2", True)):
        path = found / f"{name}.xdf"
        (found / f"{name}.xdf.part" if growing else path).write_bytes(b"XDF:" + bytes(1500))
        write_consent(path, Consent(GIVEN, "asked for with --record", simulated=not growing))
    (found / "holiday.xdf").write_bytes(b"not ours")
    (found / f"{LINK}.xdf").symlink_to("/etc/passwd")
    return found


@pytest.fixture
def recordings(folder: Path) -> Recordings:
    return Recordings(folder, lambda: datetime.now(UTC))


def test_the_newest_come_first_with_their_consent(recordings: Recordings) -> None:
    growing, finished = recordings.all()
    assert (growing.growing, finished.growing) == (True, False)
    assert finished.name == NAME
    assert finished.started == datetime(2026, 3, 1, 20, tzinfo=UTC)
    assert finished.consent_how == "asked for with --record"
    assert "eeg" in finished.consent_scope
    assert (finished.simulated, growing.simulated) == (True, False)
    assert finished.size_bytes == 1504


def test_a_recording_without_consent_says_so(recordings: Recordings, folder: Path) -> None:
    (folder / f"{NAME}.consent.json").write_text("{")
    assert recordings.all()[1].consent_given is None


def test_forgetting_deletes_the_recording_and_its_consent_alone(recordings: Recordings, folder: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    assert recordings.forget(NAME) == [f"{NAME}.xdf", f"{NAME}.consent.json"]
    assert before - {path.name for path in folder.iterdir()} == {f"{NAME}.xdf", f"{NAME}.consent.json"}
    assert [one.name for one in recordings.all()] == ["2026-03-02T20-00-00Z-home-2"]


@pytest.mark.parametrize(
    "name",
    [
        "../recordings/holiday",
        "holiday",
        "",
        LINK,
        "2026-03-01T20-00-00Z-../x",
        NAME + "\n",
    ],
)
def test_nothing_else_can_be_deleted(recordings: Recordings, folder: Path, name: str) -> None:
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(LookupError):
        recordings.forget(name)
    assert {path.name for path in folder.iterdir()} == before


def test_no_folder_is_no_recording(tmp_path: Path) -> None:
    assert Recordings(tmp_path / "none", lambda: datetime.now(UTC)).all() == []


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1500, "1.5 kB"), (12_340_000, "12.3 MB"), (2e9, "2.0 GB")]
)
def test_sizes(size: int, text: str) -> None:
    assert size_words(size) == text
