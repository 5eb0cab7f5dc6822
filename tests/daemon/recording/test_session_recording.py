"""A recording that is asked for in the middle of a session, without a broker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acquisition.recording.consent import consent_path, read_consent
from acquisition.recording.session_file import Line, read_session
from daemon.engine.events import CommandGiven, EngineEvents
from daemon.mqtt.codec import MessageError
from daemon.mqtt.commands import DwellCommand, RecordCommand
from daemon.recording.session_recording import SessionRecording, recording_of
from daemon.settings import Settings
from daemon.wearers.wearer import Wearer


def _recordings(state: Path) -> Path:
    return Wearer("home", state).recordings


def test_a_disk_that_takes_nothing_is_said_and_leaves_no_consent(tmp_path: Path) -> None:
    _recordings(tmp_path).parent.mkdir(parents=True)
    _recordings(tmp_path).write_text("in the way")
    recording = SessionRecording(Settings(state_dir=str(tmp_path)), simulated=True)
    with pytest.raises(MessageError, match="recordings"):
        recording.handle_command(RecordCommand(action="start", who="Ada", consent="yes"))
    assert not recording.recording
    recording.close()
    assert [path.name for path in _recordings(tmp_path).parent.iterdir()] == ["recordings"]


def test_a_recording_goes_on_in_a_file_of_its_own_each_time(tmp_path: Path) -> None:
    recording = SessionRecording(Settings(state_dir=str(tmp_path)), simulated=True)
    for _ in range(3):
        recording.handle_command(RecordCommand(action="start", who="Ada", consent="yes"))
        assert recording.recording
        with pytest.raises(MessageError, match="already"):
            recording.handle_command(RecordCommand(action="start", who="Ada", consent="yes"))
        recording.handle_command(RecordCommand(action="stop"))
        assert not recording.recording
    recording.close()
    assert len(list(_recordings(tmp_path).glob("*.xdf"))) == 3


def test_a_recording_that_begins_late_knows_the_dwell_time_in_force(tmp_path: Path) -> None:
    recording, events = SessionRecording(Settings(state_dir=str(tmp_path)), simulated=True), EngineEvents()
    recording.listen(events)
    for seconds in (30.0, 3.0):
        events.command(CommandGiven("dwell", DwellCommand(seconds=seconds)))
    recording.handle_command(YES)
    recording.close()
    (path,) = _recordings(tmp_path).glob("*.xdf")
    lines = [item.text for item in read_session(path) if isinstance(item, Line)]
    commands = [words for words in map(json.loads, lines) if words["kind"] == "command"]
    assert [(words["command"], words["words"]) for words in commands] == [("dwell", {"seconds": 3.0})]


YES = RecordCommand(action="start", who="Ada", consent="EEG, from now on")
NO = RecordCommand(action="stop")


def _life(tmp_path: Path, *, again: bool, record: str = "", simulated: bool = True) -> SessionRecording:
    settings = Settings(state_dir=str(tmp_path), again=again, record=record)
    return recording_of(settings, simulated=simulated)


def _files(tmp_path: Path) -> list[str]:
    return sorted((path.name for path in _recordings(tmp_path).glob("*.xdf")), key=lambda name: name[:-4])


def test_a_later_life_goes_on_with_what_a_person_agreed_to(tmp_path: Path) -> None:
    first = _life(tmp_path, again=False)
    assert not first.recording
    first.handle_command(YES)
    first.close()  # a life that is killed leaves no more than this one
    for _ in range(2):
        later = _life(tmp_path, again=True)
        assert later.recording
        later.close()
    names = _files(tmp_path)
    assert [name.removeprefix(names[0].removesuffix(".xdf")) for name in names] == [
        ".xdf",
        "-2.xdf",
        "-3.xdf",
    ]
    consents = [read_consent(_recordings(tmp_path) / name) for name in names]
    assert consents[0] is not None
    assert consents[0].who == "Ada"
    assert consents == [consents[0]] * 3, "given once, at that time"


@pytest.mark.parametrize("record", ["", "2026-03-01T20-00-00Z-home"], ids=["asked on the page", "--record"])
def test_what_a_person_ended_stays_ended(tmp_path: Path, record: str) -> None:
    first = _life(tmp_path, again=False, record=record)
    if not record:
        first.handle_command(YES)
    assert first.recording
    first.handle_command(NO)
    first.close()
    later = _life(tmp_path, again=True, record=record)
    assert not later.recording
    later.handle_command(YES)
    assert later.recording, "until a person agrees again"
    later.close()


@pytest.mark.parametrize("record", ["", "2026-03-01T20-00-00Z-home"], ids=["asked on the page", "--record"])
def test_a_consent_that_was_deleted_is_taken_back(tmp_path: Path, record: str) -> None:
    first = _life(tmp_path, again=False, record=record)
    if not record:
        first.handle_command(YES)
    first.close()
    consent_path(_recordings(tmp_path) / _files(tmp_path)[0]).unlink()
    later = _life(tmp_path, again=True, record=record)
    assert not later.recording
    later.close()
    assert len(_files(tmp_path)) == 1


def test_a_new_session_or_a_real_headset_is_asked_anew(tmp_path: Path) -> None:
    first = _life(tmp_path, again=False)
    first.handle_command(YES)
    first.close()
    real = _life(tmp_path, again=True, simulated=False)
    assert not real.recording, "the consent was to a simulated session"
    real.close()
    fresh = _life(tmp_path, again=False)
    assert not fresh.recording
    fresh.close()
    assert not _life(tmp_path, again=True).recording


@pytest.mark.parametrize(
    "mark",
    ["", "[", "[]", "{}", '{"stem": "../x", "file": "../x.xdf"}', '{"stem": 1, "file": null}', "[" * 4000],
)
def test_a_mark_that_is_no_mark_begins_nothing(tmp_path: Path, mark: str) -> None:
    _recordings(tmp_path).mkdir(parents=True)
    (_recordings(tmp_path) / "home.under-way.json").write_text(mark)
    later = _life(tmp_path, again=True)
    assert not later.recording
    later.close()


@pytest.mark.parametrize("nothing", ["\u200b", "\u200b‎", "  ", "⁠\u200b-", "..."])
def test_a_consent_is_a_persons_word(tmp_path: Path, nothing: str) -> None:
    recording = SessionRecording(Settings(state_dir=str(tmp_path)), simulated=True)
    for who, consent in ((nothing, "yes"), ("Ada", nothing)):
        with pytest.raises(MessageError, match="letters or digits"):
            recording.handle_command(RecordCommand(action="start", who=who, consent=consent))
    assert not recording.recording
    assert not _recordings(tmp_path).exists(), "no consent is written either"
    recording.close()


def test_a_name_is_kept_in_one_form(tmp_path: Path) -> None:
    recording = SessionRecording(Settings(state_dir=str(tmp_path)), simulated=True)
    recording.handle_command(RecordCommand(action="start", who=" Ａda\u200b  ﬁne ", consent="yes"))
    recording.close()
    consent = read_consent(_recordings(tmp_path) / _files(tmp_path)[0])
    assert consent is not None
    assert consent.who == "Ada fine"
