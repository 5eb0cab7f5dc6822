"""A recording that is asked for in the middle of a session, without a broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.messages import MessageError, RecordCommand
from daemon.session_recording import SessionRecording
from daemon.settings import Settings
from daemon.topics import Topics


def test_a_disk_that_takes_nothing_is_said_and_leaves_no_consent(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("in the way")
    recording = SessionRecording(Settings(state_dir=str(tmp_path)), Topics("t"), simulated=True)
    with pytest.raises(MessageError, match="recordings"):
        recording.obey(RecordCommand(action="start", who="Ada", consent="yes"))
    assert not recording.recording
    recording.close()
    assert [path.name for path in tmp_path.iterdir()] == ["recordings"]


def test_a_recording_goes_on_in_a_file_of_its_own_each_time(tmp_path: Path) -> None:
    recording = SessionRecording(Settings(state_dir=str(tmp_path)), Topics("t"), simulated=True)
    for _ in range(3):
        recording.obey(RecordCommand(action="start", who="Ada", consent="yes"))
        assert recording.recording
        with pytest.raises(MessageError, match="already"):
            recording.obey(RecordCommand(action="start", who="Ada", consent="yes"))
        recording.obey(RecordCommand(action="stop"))
        assert not recording.recording
    recording.close()
    assert len(list((tmp_path / "recordings").glob("*.xdf"))) == 3
