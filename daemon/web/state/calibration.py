"""The calibration that the page runs: a process of its own that guides and fits, and the session's player.

The process reads the engine's socket and says what it does in lines; nothing it says is trusted to be well
formed. One at a time, for all viewers alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from acquisition.isolation.child_clock import ChildClock
from daemon.calibration import lines
from daemon.mqtt import commands, documents, topics
from daemon.safe_text import shown
from daemon.web.state.live_state import LiveState
from player.music import PolicyName

Phase = Literal["idle", "starting", "guided", "asking", "fitting", "done", "failed"]
Send = Callable[[str, commands.Command], bool]
BUSY: tuple[Phase, ...] = ("starting", "guided", "asking", "fitting")
MAX_MALFORMED = 20
SILENT_S: Mapping[Phase, float] = {"starting": 120.0, "guided": 60.0, "asking": 300.0, "fitting": 1200.0}
"""So long a phase may say nothing; a wearer who does not answer has gone."""
LOOK_S = 0.25
END_S = 3.0

log = logging.getLogger(__name__)


class CalibrationState:
    """``command`` begins it, ``undo`` is what goes back; ``pieces`` names the music to be heard.

    What is shown: ``phase``, the newest ``step``, ``asked``, ``fitting``, the ``result`` or the ``trouble``.
    """

    def __init__(
        self,
        command: Sequence[str],
        undo: Sequence[str],
        environment: Mapping[str, str],
        state: LiveState,
        send: Send,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command, self._undo, self._environment = list(command), list(undo), dict(environment)
        self._state, self._send, self._clock = state, send, clock
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._unfinished: set[asyncio.Task[None]] = set()
        self._policy: PolicyName | None = None
        self._holds_music = False
        self._sounding: str | None = None
        self._heard_s = 0.0
        self._childs_time = clock
        self._malformed = 0
        self._last_error = ""
        self._clear("idle")
        state.listeners.append(self._on_document)

    def _clear(self, phase: Phase) -> None:
        self.phase: Phase = phase
        self.step: lines.StepLine | None = None
        self.asked: lines.AskLine | None = None
        self.fitting: lines.TrainLine | None = None
        self.result: lines.ResultLine | None = None
        self.told = self.trouble = ""
        self._malformed, self._last_error = 0, ""

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self.phase in BUSY

    def start(self, pieces: Sequence[lines.PieceWords]) -> bool:
        """Begin; False while one is under way."""
        if self.busy:
            return False
        self._clear("starting")
        player = self._state.newest(documents.PlayerState, topics.PLAYER_STATE)
        self._policy = player.policy if player is not None else None
        before = frozenset(self._unfinished)
        self._task = asyncio.create_task(self._run(list(pieces)[: lines.MAX_PIECES], before))
        self._unfinished.add(self._task)
        self._task.add_done_callback(self._unfinished.discard)
        return True

    def rate(self, valence: int, arousal: int) -> None:
        """The wearer's rating of what was asked for."""
        self._answer(lines.RatedLine(valence=valence, arousal=arousal))

    def skip(self, *, everything: bool = False) -> None:
        """No rating of this piece, or no more music."""
        self._answer(lines.SkippedLine(all=everything))

    async def cancel(self) -> None:
        """End it and wait until its process is gone; nothing is kept."""
        if self.busy and self._task is not None:  # else it is already clearing up, and is only waited for
            self._clear("idle")
            self._task.cancel()
        if self._unfinished:
            await asyncio.wait(self._unfinished)

    async def go_back(self) -> bool:
        """Use the shipped networks again."""
        if self.busy:
            return False
        process = await self._spawn(self._undo)
        await process.communicate()
        code = process.returncode
        if code == 0:
            self._clear("idle")
        return code == 0

    def _answer(self, words: lines.Told) -> None:
        if self.phase == "asking":
            self._write_line(words)
            self.phase, self.asked = "guided", None

    def _write_line(self, words: lines.Told) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(ConnectionError, RuntimeError):
                self._process.stdin.write(lines.line(words))

    async def _spawn(self, command: Sequence[str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=lines.MAX_LINE_BYTES,
            env=self._environment,
        )

    async def _run(self, pieces: list[lines.PieceWords], before: frozenset[asyncio.Task[None]]) -> None:
        if before:  # it may still be putting things back
            await asyncio.wait(before)
        try:
            self._process = process = await self._spawn(self._command)
            self._childs_time = ChildClock(process.pid, self._clock)
            self._heard_s = self._childs_time()
            self._holds_music = True
            self._send("policy", commands.PolicyCommand(policy="manual"))
            self._write_line(lines.PiecesLine(pieces=pieces))
            watching = asyncio.create_task(self._watch(process))
            errors = asyncio.create_task(self._read_errors(process))
            try:
                await self._read(process)
                if self.busy:
                    code = await process.wait()
                    await asyncio.wait({errors}, timeout=1.0)
                    self._fail(self._last_error or f"it ended with exit status {code}")
            finally:
                watching.cancel()
                errors.cancel()
                await asyncio.gather(watching, errors, return_exceptions=True)
        except OSError as error:
            self._fail(str(error))
        finally:
            await self._clean_up()

    async def _clean_up(self) -> None:
        self._give_music_back()
        if self._process is None:
            return
        try:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            if self._process.stdin is not None:
                self._process.stdin.close()
            with contextlib.suppress(TimeoutError):  # it is gone when its pipes are at their end as well
                await asyncio.wait_for(self._process.communicate(), END_S)
        finally:
            self._process = None

    def _give_music_back(self) -> None:
        """Once: the music goes on as it was chosen before."""
        if not self._holds_music:
            return
        self._holds_music = False
        if self._policy is not None:
            self._send("policy", commands.PolicyCommand(policy=self._policy))
        self._send("pause", commands.PauseCommand(paused=False))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - asked for a pipe
        while self.busy:
            try:
                raw = await process.stdout.readline()
            except ValueError:  # a line over the limit
                self._bad()
                continue
            if not raw:
                return
            words = lines.read_said(raw)
            if words is None:
                self._bad()
            else:
                self._on_line(words)

    def _bad(self) -> None:
        self._malformed += 1
        if self._malformed > MAX_MALFORMED:
            self._fail("it said too much that could not be understood")

    def _on_line(self, words: lines.Said) -> None:
        self._heard_s = self._childs_time()
        match words:
            case lines.StepLine():
                self.phase, self.step = "guided", words
            case lines.PlayLine(id=track):
                self._sounding = None
                self._send("play", commands.PlayCommand(id=track))
                self._send("pause", commands.PauseCommand(paused=False))
            case lines.StopLine():
                self._send("pause", commands.PauseCommand(paused=True))
            case lines.AskLine():
                self.phase, self.asked = "asking", words
            case lines.TellLine(text=text):
                self.told = shown(text, 300)
            case lines.TrainLine():
                self.phase, self.fitting = "fitting", words
                self._give_music_back()
            case lines.ResultLine():
                self.phase, self.result = "done", words
            case lines.ErrorLine(text=text):
                self._fail(text)

    def _fail(self, why: str) -> None:
        self.phase, self.trouble = "failed", shown(why, 400)
        log.warning("the calibration came to nothing: %s", self.trouble)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if self.busy and self._childs_time() - self._heard_s > SILENT_S[self.phase]:
                self._fail("nothing was heard of it, or of you, for too long")
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                return

    async def _read_errors(self, process: asyncio.subprocess.Process) -> None:
        """Its last word, should it die."""
        assert process.stderr is not None  # noqa: S101 - asked for a pipe
        while True:
            with contextlib.suppress(ValueError):
                raw = await process.stderr.readline()
                if not raw:
                    return
                self._last_error = shown(raw.decode("utf-8", "replace"), 300) or self._last_error

    def _on_document(self, _name: str, document: documents.Document) -> None:
        """Tell it what the session's player says that sounds."""
        if not isinstance(document, documents.PlayerState) or not self.busy:
            return
        track = document.track
        sounding = track.id if track is not None and not document.paused else None
        if sounding != self._sounding:
            self._sounding = sounding
            self._write_line(lines.SoundsLine(id=sounding))
