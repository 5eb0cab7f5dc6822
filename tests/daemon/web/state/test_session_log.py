"""What is kept of a session, and what the history makes of it."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from daemon.mqtt import commands, documents
from daemon.web.charts.history_chart import compare_options, history_options
from daemon.web.palette import DARK
from daemon.web.state import session_log as kept
from daemon.web.state import session_records as records
from daemon.web.state.session_log import SessionLog, read_session, session_names
from daemon.web.texts import Texts
from daemon.web.views.history_view import as_csv, marks, summary, thinned, timeline
from support.browser import talker as say

BEGAN = datetime(2026, 3, 1, 20, 0, 0, tzinfo=UTC)


class Wall:
    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def log(tmp_path: Path, wall: Wall) -> Iterator[SessionLog]:
    found = SessionLog(tmp_path / "history", "home", wall)
    found.on_document("", say.session(started=BEGAN))
    yield found
    found.close()


def hear(log: SessionLog, *documents: documents.Document) -> None:
    for document in documents:
        log.on_document("", document)


def test_a_session_comes_back_as_it_was(log: SessionLog, wall: Wall) -> None:
    hear(log, say.session(started=BEGAN), say.headset(), say.player())
    for step in range(60):
        wall.on(1)
        hear(log, say.emotion(arousal=-0.5 + step / 100), say.signal())
    hear(log, say.headset("lost"), say.emotion(status="stale", arousal=None, emotion="unknown"))
    wall.on(10)
    hear(log, say.headset("streaming"), say.player(track=say.track(2)), say.decision(2, kind="mood_change"))
    log.on_label(commands.LabelCommand(valence=1.0, arousal=-0.5))
    log.close()
    (name,) = session_names(log.folder)
    assert name == "20260301T200000Z"
    drawn = timeline(read_session(log.folder, name))
    assert drawn is not None
    assert drawn.simulated
    assert [span.name for span in drawn.tracks] == ["Piece number 1", "Piece number 2"]
    assert [round(span.end_s - span.start_s) for span in drawn.gaps] == [10]
    assert len(drawn.unknown) == 1
    assert [one.kind for one in drawn.decisions] == ["mood_change"]
    assert [(a, v) for _, a, v in drawn.labels] == [(-0.5, 1.0)]
    figures = summary(read_session(log.folder, name))
    assert figures is not None
    assert figures.duration_s == pytest.approx(70, abs=1)
    assert figures.known_share == pytest.approx(59 / 70, abs=0.02)
    assert figures.mean_arousal == pytest.approx(-0.21, abs=0.02)
    assert (figures.tracks, figures.mood_changes, figures.lost) == (2, 1, 1)


def test_files_are_private(log: SessionLog) -> None:
    hear(log, say.emotion())
    log.close()
    assert stat.S_IMODE(log.folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in log.folder.iterdir()] == [0o600]


def test_states_are_kept_once_a_second_at_most(log: SessionLog, wall: Wall) -> None:
    for _ in range(100):
        wall.on(0.1)
        hear(log, say.emotion())
    log.close()
    moods = [r for r in read_session(log.folder, log.name or "") if isinstance(r, records.MoodRecord)]
    assert 9 <= len(moods) <= 11


def test_what_is_not_claimed_is_not_kept_as_a_value(log: SessionLog) -> None:
    hear(log, say.emotion(status="unreliable", arousal=0.7, valence=0.2))
    log.close()
    mood = read_session(log.folder, log.name or "")[1]
    assert isinstance(mood, records.MoodRecord)
    assert (mood.a, mood.v) == (None, None)


def test_a_new_session_is_a_new_file_and_old_ones_are_dropped(
    log: SessionLog, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MAX_FILES", 3)
    for number in range(6):
        wall.on(60)
        hear(log, say.session(started=BEGAN + timedelta(minutes=number)), say.emotion())
    log.close()
    names = session_names(log.folder)
    assert len(names) == 3
    assert names[0] == "20260301T200500Z"


def test_what_came_before_the_session_was_known_is_in_its_file(tmp_path: Path, wall: Wall) -> None:
    log = SessionLog(tmp_path / "history", "home", wall)
    hear(log, say.headset("connecting"), say.player())
    wall.on(5)
    assert session_names(log.folder) == []
    hear(log, say.session(started=BEGAN + timedelta(seconds=4)), say.emotion())
    log.close()
    assert session_names(log.folder) == ["20260301T200004Z"]
    kinds = [type(record).__name__ for record in read_session(log.folder, "20260301T200004Z")]
    assert kinds == ["StartRecord", "HeadsetRecord", "TrackRecord", "MoodRecord"]


def test_without_an_engine_the_music_is_kept_all_the_same(tmp_path: Path, wall: Wall) -> None:
    log = SessionLog(tmp_path / "history", "home", wall)
    hear(log, say.player())
    wall.on(31)
    hear(log, say.player(track=say.track(2)))
    log.close()
    (name,) = session_names(log.folder)
    assert sum(isinstance(r, records.TrackRecord) for r in read_session(log.folder, name)) == 2


def test_two_pages_never_write_one_file(log: SessionLog, wall: Wall) -> None:
    other = SessionLog(log.folder, "home", wall)
    for one in (log, other):
        hear(one, say.session(started=BEGAN), say.emotion())
    assert session_names(log.folder) == ["20260301T200000Z-2", "20260301T200000Z"]
    log.close()
    other.close()


def test_a_page_that_was_killed_goes_on_in_the_same_file(log: SessionLog, wall: Wall) -> None:
    hear(log, say.emotion(), say.player())
    log.flush()
    with (log.folder / f"{log.name}.jsonl").open("ab") as torn:
        torn.write(b'{"k":"mood","t":17')
    log._file.close()  # type: ignore[union-attr]  # as the kernel does for a killed process
    wall.on(3)
    again = SessionLog(log.folder, "home", wall)
    hear(again, say.session(started=BEGAN), say.emotion(emotion="focused"))
    again.close()
    assert session_names(log.folder) == ["20260301T200000Z"]
    kinds = [type(record).__name__ for record in read_session(log.folder, "20260301T200000Z")]
    assert kinds == ["StartRecord", "MoodRecord", "TrackRecord", "MoodRecord"]


def test_a_full_file_says_so(log: SessionLog, wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MAX_FILE_BYTES", 2000)
    for _ in range(100):
        wall.on(2)
        hear(log, say.emotion())
    log.close()
    size = (log.folder / f"{log.name}.jsonl").stat().st_size
    assert size < 2200
    drawn = timeline(read_session(log.folder, log.name or ""))
    assert drawn is not None
    assert drawn.truncated


def test_a_folder_that_cannot_be_written_costs_only_the_log(tmp_path: Path, wall: Wall) -> None:
    (tmp_path / "history").write_text("a file where the folder should be")
    log = SessionLog(tmp_path / "history", "home", wall)
    hear(log, say.emotion())
    assert log.name is None


def test_torn_and_foreign_lines_are_left_out(log: SessionLog) -> None:
    hear(log, say.emotion())
    log.close()
    path = log.folder / f"{log.name}.jsonl"
    good = path.read_bytes()
    path.write_bytes(
        good + b'{"k":"mood","t":1e99}\n{"k":"x"}\n\xff\n' + b"9" * 9000 + b'\n{"k":"mood","t":12'
    )
    assert len(read_session(log.folder, log.name or "")) == 2


@pytest.mark.parametrize("name", ["../secret", "", "20260301T200000Z/../x", "a" * 300, "20260301T200000Z\0"])
def test_only_names_of_sessions_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.jsonl").write_text('{"k":"start","t":1,"node":"x","simulated":false}\n')
    assert read_session(tmp_path / "history", name) == []


def test_a_link_is_not_followed(tmp_path: Path, log: SessionLog) -> None:
    hear(log, say.emotion())
    log.close()
    (log.folder / "20200101T000000Z.jsonl").symlink_to(log.folder / f"{log.name}.jsonl")
    assert read_session(log.folder, "20200101T000000Z") == []


def test_thinning_keeps_extremes_and_breaks() -> None:
    points = [(float(t), 0.0) for t in range(20_000)]
    points[777] = (777.0, 0.9)
    points[12_345] = (12_345.0, None)  # type: ignore[assignment]
    few = thinned(points)
    assert len(few) <= 2100
    assert (777.0, 0.9) in few
    assert (12_345.0, None) in few


def test_the_table_is_safe_in_a_spreadsheet(log: SessionLog, wall: Wall) -> None:
    hear(
        log, say.player(track=say.track(1, title="=cmd|' /C calc'!A0", artist="")), say.emotion(arousal=0.25)
    )
    log.close()
    rows = list(csv.DictReader(io.StringIO(as_csv(read_session(log.folder, log.name or "")))))
    assert [row["kind"] for row in rows] == ["start", "track", "mood"]
    assert rows[1]["text"] == "'=cmd|' /C calc'!A0"
    assert rows[2]["arousal"] == "0.25"
    assert rows[2]["time"] == "2026-03-01T20:00:00.000+00:00"


def test_the_picture_holds_every_part(log: SessionLog, wall: Wall, words: Texts) -> None:
    hear(log, say.player(track=say.track(1, title="{b} braces")), say.headset(), say.emotion())
    wall.on(30)
    hear(log, say.headset("lost"), say.signal(), say.emotion(status="stale"))
    wall.on(30)
    hear(log, say.emotion())
    log.close()
    drawn = timeline(read_session(log.folder, log.name or ""))
    assert drawn is not None
    options = history_options(drawn, DARK, words)
    by_name = {series["name"]: series for series in options["series"]}
    assert len(by_name[words("history.arousal")]["data"]) >= 3
    assert by_name[words("history.tracks")]["data"][0]["name"] == "{b} braces"
    areas = by_name[words("history.arousal")]["markArea"]["data"]
    assert len(areas) == len(drawn.unknown) + len(drawn.gaps) >= 2
    both = compare_options([("one", drawn), ("two", drawn)], DARK, words)
    assert [series["name"] for series in both["series"]] == ["one", "two"]
    assert both["series"][0]["data"][0][0] == 0


@pytest.mark.parametrize("mark", ["simulated", "replayed"])
def test_nobody_being_there_is_said_wherever_it_is_shown(log: SessionLog, words: Texts, mark: str) -> None:
    said = msgspec.structs.replace(say.emotion(), simulated=mark == "simulated", replayed=mark == "replayed")
    session = msgspec.structs.replace(
        say.session(started=BEGAN), simulated=said.simulated, replayed=said.replayed
    )
    hear(log, session, said)
    log.close()
    name = log.name or ""
    began = kept.start_of(log.folder, name)
    assert began is not None
    assert marks(began.simulated, began.replayed) == mark, "in the list, and so in a comparison"
    session = read_session(log.folder, name)
    rows = list(csv.DictReader(io.StringIO(as_csv(session))))
    assert {row["wearer"] for row in rows} == {mark}, "in the table"
    drawn = timeline(session)
    assert drawn is not None
    title = history_options(drawn, DARK, words)["title"]
    assert title["show"]
    assert mark in title["text"].lower(), "in the picture"


def test_a_person_bears_no_mark(log: SessionLog, words: Texts) -> None:
    person = msgspec.structs.replace(say.session(started=BEGAN), simulated=False)
    hear(log, person, msgspec.structs.replace(say.emotion(), simulated=False))
    log.close()
    session = read_session(log.folder, log.name or "")
    assert {row["wearer"] for row in csv.DictReader(io.StringIO(as_csv(session)))} == {"person"}
    drawn = timeline(session)
    assert drawn is not None
    assert not history_options(drawn, DARK, words)["title"]["show"]


def test_a_forgotten_wearers_session_is_written_no_more(log: SessionLog, wall: Wall) -> None:
    hear(log, say.emotion())
    log.forget_wearer()
    for path in log.folder.iterdir():
        path.unlink()
    wall.on(60)
    hear(log, say.session(started=BEGAN + timedelta(minutes=1)), say.emotion())
    log.on_label(commands.LabelCommand(valence=1.0))
    log.close()
    assert list(log.folder.iterdir()) == []
