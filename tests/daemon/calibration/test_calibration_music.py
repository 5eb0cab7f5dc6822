"""The music part of a calibration: pieces really played, ratings from a script, labelled trials out of it."""

from __future__ import annotations

import itertools
import json
import sys
import wave
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from acquisition.headsets.simulated_source import SimulatedSource
from daemon.calibration import lines
from daemon.calibration.guide import guide, protocol
from daemon.calibration.listening import Answer, Listening
from daemon.calibration.own_jukebox import OwnJukebox
from daemon.calibration.pieces import Piece, Rating, parse_rating, spread
from daemon.calibration.taker import Step
from daemon.calibration.talk import Lines, PageTalk, TerminalTalk
from daemon.cli import main
from daemon.errors import BadInputError
from models.datasets import Trial
from support.waiting import wait_until

PIECES = tuple(Piece(f"p{i}", f"Piece {i}", valence=i / 10, arousal=-0.5) for i in range(8))


class Shelf:
    """A jukebox whose pieces sound at once; ``broken`` ones never do."""

    def __init__(self, pieces: tuple[Piece, ...] = PIECES, broken: str = "") -> None:
        self._pieces, self._broken = pieces, broken
        self.now: str | None = None
        self.did: list[str] = []

    def pieces(self, number: int) -> tuple[Piece, ...]:
        return self._pieces[:number]

    def play(self, piece: Piece) -> None:
        self.now = None if piece.id == self._broken else piece.id
        self.did.append(piece.id)

    def sounds(self, piece: Piece) -> bool:
        return self.now == piece.id

    def stop(self) -> None:
        self.now = None
        self.did.append("stop")


class Script:
    """Answers in turn."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []
        self.words: list[str] = []

    def ask(self, piece: Piece, number: int, of: int) -> None:
        self.asked.append(piece.id)

    def answer(self) -> Answer | None:
        return self._answers.pop(0)

    def notify(self, text: str) -> None:
        self.words.append(text)


def _guide(shelf: Shelf, script: Script, pieces: int = 8, clock_step_s: float = 0.001) -> list[Trial]:
    ticks = itertools.count()
    listening = Listening(shelf, script, pieces, seconds=5.0, clock=lambda: next(ticks) * clock_step_s)
    _, trials = guide(SimulatedSource(speed=None), protocol(20, 10, 3), listening=listening)
    return [trial for trial in trials if trial.ratings]


def test_what_is_rated_becomes_a_labelled_trial_and_the_middle_has_no_label() -> None:
    shelf, script = Shelf(), Script(
        Rating(5, 1), "skip", Rating(3, 3), Rating(1, 4), Rating(2, 2), Rating(4, 5), Rating(4, 4), "end"
    )  # fmt: skip
    found = _guide(shelf, script)
    assert [trial.labels for trial in found] == [
        {"valence": "positive"},
        {},
        {"valence": "negative"},
        {"valence": "negative"},
        {"valence": "positive"},
        {"valence": "positive"},
    ]
    assert found[0].ratings == {"valence": 5.0, "arousal": 1.0}
    assert found[0].samples_uv.shape == (4, 256 * 25), "the rest, and 5 s of the piece"
    assert shelf.did[0] == "stop", "no music while resting and counting"
    assert shelf.did.count("stop") == 9
    assert script.asked == [piece.id for piece in PIECES]


def test_a_piece_that_does_not_sound_is_left_out_and_said() -> None:
    script = Script(*[Rating(4, 4)] * 7)
    found = _guide(Shelf(broken="p2"), script, clock_step_s=0.05)
    assert len(found) == 7
    assert "p2" not in script.asked
    assert any("'Piece 2' could not be heard" in text for text in script.words)


def test_a_library_too_small_leaves_the_music_out() -> None:
    script = Script()
    assert _guide(Shelf(PIECES[:5]), script) == []
    assert script.words == ["the music part is left out: it needs 6 pieces, the library has 5"]


@pytest.mark.parametrize("text", ["4", "4 2 1", "0 3", "6 1", "four 2", "4.5 2", "nan 1", "1" * 50])
def test_a_wrong_rating_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="two whole numbers from 1 to 5"):
        parse_rating(text)


def test_ratings_are_read_as_people_type_them() -> None:
    assert parse_rating(" 4, 2 \n") == Rating(4, 2)
    assert parse_rating("\n") == "skip"


def test_pieces_come_from_all_over_the_library_in_no_order() -> None:
    many = [Piece(f"{i:03}", "", valence=i / 100, arousal=0.0) for i in range(100)]
    chosen = spread(many, 10, seed=1)
    valences = [piece.valence for piece in chosen]
    assert sorted(int(v * 10) for v in valences if v is not None) == list(range(10))
    assert valences != sorted(valences, key=lambda v: v or 0)
    assert chosen == spread(many, 10, seed=1)
    assert spread([], 3, 1) == ()


def test_the_terminal_asks_again_after_nonsense_and_stops_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    talk = TerminalTalk(quiet=True, read=lambda: Lines(BytesIO(b"good\n5 1\n\n")))
    answers: list[Answer] = []
    for number in range(3):
        talk.ask(PIECES[0], number + 1, 3)
        found = None
        while found is None:
            found = talk.answer()
        answers.append(found)
    assert answers == [Rating(5, 1), "skip", "end"]
    assert "got 'good'" in capsys.readouterr().err


def test_the_page_speaks_in_lines_and_nonsense_is_ignored() -> None:
    told = b"".join(
        [
            lines.line(lines.PiecesLine(pieces=[lines.PieceWords(id="a", title="A <b>")])),
            b'{"type":"rated","valence":9,"arousal":1}\n',
            b"\xff\xfe not json\n",
            b"[" * 5000 + b"\n",
            lines.line(lines.SoundsLine(id="a")),
        ]
    )
    said: list[bytes] = []
    talk = PageTalk(3, said.append, Lines(BytesIO(told)))
    while not talk._heard.ended:
        talk.pieces(1)
    (piece,) = talk.pieces(4)
    talk.show(Step("calm", 10.0, "Rest."), 4.0)
    talk.ask(piece, 1, 1)
    assert talk.answer() == "end", "the page is gone"
    assert [type(lines.read_said(raw)) for raw in said] == [lines.StepLine, lines.AskLine]
    assert lines.read_said(b"x" * (lines.MAX_LINE_BYTES + 1)) is None


def _library(folder: Path, number: int, seconds: float) -> Path:
    folder.mkdir()
    for i in range(number):
        times = np.arange(int(seconds * 8000)) / 8000
        with wave.open(str(folder / f"{i}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes((3000 * np.sin(2 * np.pi * (200 + 50 * i) * times)).astype("<i2").tobytes())
    return folder


def test_the_own_jukebox_really_plays_what_it_is_asked_for(tmp_path: Path) -> None:
    music = _library(tmp_path / "music", 3, 17.0)
    jukebox = OwnJukebox([str(music)], "null", tmp_path / "cache", listen_s=5.0, seed=1)
    try:
        wait_until(lambda: len(jukebox.pieces(8)) == 3, "the pieces are known")
        pieces = jukebox.pieces(8)
        _, trials = guide(
            SimulatedSource(speed=None),
            (Step("", 1.0, "Rest."),),
            listening=Listening(jukebox, Script("skip", Rating(4, 1)), 6),
        )
        assert len(trials) == 0, "three pieces are too few"
        for piece in pieces[:2]:
            jukebox.play(piece)
            wait_until(lambda wanted=piece: jukebox.sounds(wanted), "the piece sounds")  # type: ignore[misc]
        jukebox.stop()
    finally:
        jukebox.close()
    with pytest.raises(BadInputError, match="no such music folder"):
        OwnJukebox([str(tmp_path / "nowhere")], "null", tmp_path / "cache", listen_s=5.0, seed=1)


def test_without_the_train_extra_it_is_said_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from models.networks.keras_backend import keras

    keras.cache_clear()
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    try:
        assert main(["calibrate", "--source", "simulated", "--speed", "max"]) == 2
        assert "pip install 'neuroplayer[train]'" in capfd.readouterr().err
        assert main(["calibrate", "--source", "simulated", "--speed", "max", "--page"]) == 0
        (line,) = capfd.readouterr().out.splitlines()
        assert "neuroplayer[train]" in json.loads(line)["text"]
    finally:
        keras.cache_clear()


@pytest.mark.train
@pytest.mark.soak
@pytest.mark.timeout(400)
def test_the_whole_guide_with_music_and_typed_ratings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    from models.personal import personal_calibration

    monkeypatch.setattr(personal_calibration, "EPOCHS", 2)
    music = _library(tmp_path / "music", 6, 20.0)
    monkeypatch.setattr(
        sys, "stdin", type("In", (), {"buffer": BytesIO(b"5 2\n1 4\n9 9\n4 4\n\n3 3\n2 1\n")})
    )
    options = ["--source", "simulated", "--speed", "max", "--rest", "20", "--block", "15", "--pairs", "3"]
    wanted = ["--listen", "5", "--pieces", "6", "--music", str(music), "--output", "null", "--json"]
    assert main(["calibrate", *options, *wanted]) == 0
    captured = capfd.readouterr()
    document = json.loads(captured.out)
    assert document["verdict"]["n_trials"] == 6
    assert document["simulated"] is True
    assert "the wearer was simulated" in document["lines"][-1]
    assert document["valence"]["kept"] is False
    assert "needs at least 3 pieces" in document["valence"]["reason"]
    assert "2 negative, 2 positive" in document["valence"]["reason"]
    assert "got '9 9'" in captured.err
