"""The calibration that the page runs: a process that may say anything, hang, die or be right."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from daemon.calibration import lines
from daemon.calibration.guide import protocol
from daemon.calibration.listening import Jukebox, Listener, Listening
from daemon.calibration.taker import Step
from daemon.calibration.talk import Lines, PageTalk
from daemon.mqtt import codec, commands
from daemon.web.state import calibration as module
from daemon.web.state.calibration import MAX_MALFORMED, CalibrationState
from daemon.web.state.live_state import LiveState
from daemon.web.state.track_library import MapTrack
from daemon.web.texts import Texts
from daemon.web.views.calibration_view import headline, pieces_from, share, step_of, verdict
from support.browser import talker as say
from support.browser.live_page import Hand
from support.waiting import until

PIECES = [lines.PieceWords(id="track-1", title="One"), lines.PieceWords(id="track-2", title="Two")]
STEP = lines.StepLine(label="calm", says="Rest.", seconds=20.0, left_s=5.0, number=3, of=5)
KEPT = lines.Outcome(kept=True, reason="kept", before=0.6, after=0.8, p_value=0.012, trials=12)
RESULT = lines.ResultLine(
    state=KEPT, valence=lines.Outcome(kept=False, reason="too few"), in_use="muse4-personal"
)


class Rig:
    """A calibration whose process runs ``code``; ``say(...)`` prints a line, ``hear()`` reads one."""

    def __init__(self, state: LiveState, code: str) -> None:
        start = "import sys, time\ndef say(x): sys.stdout.buffer.write(x + b'\\n'); sys.stdout.flush()\n"
        start += "def hear(): return sys.stdin.readline()\n"
        self.sent: list[tuple[str, commands.Command]] = []
        self.state = state
        self.run = CalibrationState(
            [sys.executable, "-c", start + code],
            [sys.executable, "-c", "raise SystemExit(0)"],
            dict(os.environ),
            state,
            self._send,
        )

    def _send(self, name: str, command: commands.Command) -> bool:
        self.sent.append((name, command))
        return True

    def player(self, **given: Any) -> None:
        self.state.on_message("player/state", codec.encode(say.player(**given)))


MakeRig = Callable[[str], Rig]


@pytest.fixture
async def make_rig(state: LiveState) -> AsyncIterator[MakeRig]:
    """Rigs for one test; after it none of them has a process left."""
    made: list[Rig] = []

    def make(code: str) -> Rig:
        made.append(Rig(state, code))
        return made[-1]

    yield make
    for rig in made:
        await rig.run.cancel()
        assert rig.run._process is None
        assert not rig.run._unfinished


def _say(*words: lines.Said) -> str:
    return "".join(f"say({lines.line(one).strip()!r})\n" for one in words)


async def test_it_guides_plays_asks_and_tells_what_came_of_it(make_rig: MakeRig, words: Texts) -> None:
    rig = make_rig(
        "hear()\n"
        + _say(STEP, lines.PlayLine(id="track-1"))
        + "while 'track-1' not in hear(): pass\n"
        + _say(lines.AskLine(id="track-1", title="One <b>", number=1, of=2))
        + "answer = ''\nwhile 'rated' not in answer: answer = hear()\n"
        + _say(lines.StopLine(), lines.TrainLine(done=2, of=5))
        + "hear() if '4' not in answer else None\n"
        + _say(RESULT),
    )
    rig.player(policy="lead")
    assert rig.run.start(PIECES)
    assert not rig.run.start(PIECES), "one at a time"
    await until(
        lambda: rig.run.phase == "guided" and ("play", commands.PlayCommand(id="track-1")) in rig.sent
    )
    assert headline(rig.run, words) == ("Rest again", "Rest.")
    assert (step_of(rig.run), share(rig.run)) == ("guide", pytest.approx((2 + 0.75) / 5))
    rig.player(track=say.track(1))
    await until(lambda: rig.run.phase == "asking")
    assert headline(rig.run, words) == ("How was “One <b>” for you?", "Piece 1 of 2")
    rig.run.rate(4, 2)
    await until(lambda: rig.run.phase == "done")
    assert rig.run.result == RESULT
    await until(lambda: rig.sent[-1][0] == "pause" and len(rig.sent) >= 6)
    policies = [command for name, command in rig.sent if name == "policy"]
    assert policies == [commands.PolicyCommand(policy="manual"), commands.PolicyCommand(policy="lead")]
    assert rig.sent[-1] == ("pause", commands.PauseCommand(paused=False)), "the music goes on"
    told = verdict(RESULT, words)
    assert "80 % of the time rightly, the shipped one 60 %, on 12 stretches" in told[0]
    assert told[1:] == [
        "Pleasant or not: stays unknown: too few",
        "In use now: muse4-personal.",
    ]
    assert await rig.run.go_back()
    assert rig.run.phase == "idle"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("say(b'[' * 100000)\n" * (MAX_MALFORMED + 1) + "time.sleep(60)", "could not be understood"),
        ('while True: say(b\'\\xff{"type": "step"}\')', "could not be understood"),
        (
            'say(b\'{"type":"ask","id":"a","title":"b","number":-1,"of":1}\')\nraise SystemExit(3)',
            "exit status 3",
        ),
        ("raise ValueError('<b>boom</b> \\u202e')", "ValueError: <b>boom</b>"),
        (_say(lines.ErrorLine(text="no session runs on this machine")), "no session runs"),
        ("pass", "exit status 0"),
    ],
    ids=["endless lines", "floods", "negative", "dies", "says why", "says nothing"],
)
async def test_what_it_says_wrongly_ends_it_with_a_word(make_rig: MakeRig, code: str, why: str) -> None:
    rig = make_rig(code)
    rig.run.start(PIECES)
    await until(lambda: rig.run.phase == "failed" and rig.run._process is None)
    assert why in rig.run.trouble
    assert "\u202e" not in rig.run.trouble
    assert rig.sent[-1] == ("pause", commands.PauseCommand(paused=False))
    assert rig.run.start(PIECES), "and another may begin"
    await rig.run.cancel()


async def test_one_that_hangs_is_ended(make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENT_S", dict.fromkeys(module.SILENT_S, 0.3))
    rig = make_rig(_say(STEP) + "time.sleep(60)")
    rig.run.start(PIECES)
    await until(lambda: rig.run.phase == "failed")
    assert "for too long" in rig.run.trouble


async def test_a_cancelled_one_leaves_no_process(make_rig: MakeRig) -> None:
    rig = make_rig(_say(STEP) + "time.sleep(60)")
    rig.run.start(PIECES)
    await until(lambda: rig.run.phase == "guided")
    process = rig.run._process
    assert process is not None
    await rig.run.cancel()
    assert rig.run.phase == "idle"
    assert process.returncode is not None
    rig.run.rate(1, 1)  # nobody asked: nothing happens
    rig.run.skip()


async def test_cancelled_by_two_viewers_and_begun_again_meanwhile(make_rig: MakeRig) -> None:
    rig = make_rig(_say(STEP) + "time.sleep(60)")
    rig.run.start(PIECES)
    await until(lambda: rig.run.phase == "guided")
    first = rig.run._process
    assert first is not None
    one, other = asyncio.create_task(rig.run.cancel()), asyncio.create_task(rig.run.cancel())
    await asyncio.sleep(0)
    assert rig.run.start(PIECES)
    await asyncio.gather(one, other)
    assert first.returncode is not None, "the first was waited for to its end"
    await until(lambda: rig.run.phase == "guided")
    assert rig.run._process is not first
    await rig.run.cancel()
    assert rig.run.phase == "idle"


def _told_in(words: Texts, state: LiveState, step: Step) -> str:
    """What a page in that language tells of what a calibration says of that step."""
    said: list[bytes] = []
    PageTalk(9, said.append, Lines(io.BytesIO())).show(step, 3.0)
    found = lines.read_said(said[0].strip())
    assert isinstance(found, lines.StepLine)
    calibration = CalibrationState([], [], {}, state, lambda _name, _command: True)
    calibration.phase, calibration.step = "guided", found
    return headline(calibration, words)[1]


def test_every_step_is_told_in_the_language_of_the_page(words: Texts, state: LiveState) -> None:
    says = {key: words(key) for key in words.keys if key.startswith("calibrate.says_")}
    english = says | {f"calibrate.do_{name}": name for name in ("rest", "calm", "engaged", "music")}
    other = Texts({key: f"Anders: {text}" for key, text in says.items()}, english)
    music = Listening(cast(Jukebox, None), cast(Listener, None), 8).step(3, 8)
    steps = [*protocol(60.0, 20.0, 2), music]
    assert {f"calibrate.says_{step.key}" for step in steps} == set(says)
    for step in steps:
        assert _told_in(words, state, step) == step.says
        assert _told_in(other, state, step) == f"Anders: {step.says}"


@pytest.mark.parametrize(
    ("key", "numbers"),
    [("", {}), ("no_such", {}), ("engaged", {"start": 9}), ("engaged", {"key": 1, "self": 2})],
)
def test_a_step_the_page_has_no_words_for_is_told_as_it_was_said(
    words: Texts, state: LiveState, key: str, numbers: dict[str, int]
) -> None:
    assert _told_in(words, state, Step("engaged", 20.0, "Count.", key, numbers)) == "Count."


def test_pieces_are_named_without_their_place_on_the_disk(hand: Hand) -> None:
    tracks = [MapTrack(f"t{i}", f"T{i}", "", i / 10, 0.0, True, "/home/me/x.mp3") for i in range(10)]
    pieces = pieces_from(tracks, 4, seed=1)
    assert len({piece.id for piece in pieces}) == 4
    assert b"/home" not in lines.line(lines.PiecesLine(pieces=pieces))
    assert pieces_from([], 4, seed=1) == []
