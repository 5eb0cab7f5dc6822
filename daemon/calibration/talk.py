"""The wearer at the other end of a calibration: at the terminal, or by way of the page that started it."""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
from collections.abc import Callable
from typing import IO, Protocol

import click

from daemon.calibration import lines
from daemon.calibration.listening import Answer, Jukebox, Listener
from daemon.calibration.pieces import Piece, Rating, parse_rating
from daemon.calibration.taker import Step

MAX_WAITING = 256


class Talk(Listener, Protocol):
    """Tells how the calibration goes, and asks."""

    def show(self, step: Step, left_s: float) -> None: ...

    def trained(self, done: int, of: int) -> None: ...


class Lines:
    """Standard input, line by line, read by a thread: to look never waits. ``None`` stands for its end."""

    def __init__(self, stream: IO[bytes] | None = None) -> None:
        self._stream = sys.stdin.buffer if stream is None else stream
        self._queue: queue.Queue[bytes | None] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._read, name="stdin", daemon=True)
        self._ended = False
        self._thread.start()

    def next(self) -> bytes | None:
        """The next line; None while there is none, and after the end."""
        try:
            found = self._queue.get_nowait()
        except queue.Empty:
            return None
        self._ended = found is None
        return found

    @property
    def ended(self) -> bool:
        """Whether no line will come any more."""
        return self._ended

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # closed under our hands: it has ended
            while raw := self._stream.readline(lines.MAX_LINE_BYTES):
                self._queue.put(raw)
        self._queue.put(None)


class TerminalTalk:
    """Words on standard error, ratings from standard input. ``quiet`` tells nothing but what is asked."""

    def __init__(self, *, quiet: bool, read: Callable[[], Lines] = Lines) -> None:
        self._quiet, self._open = quiet, read
        self._input: Lines | None = None
        self._told: Step | None = None

    def show(self, step: Step, left_s: float) -> None:
        """The step once, then the seconds left, where somebody may look."""
        if self._quiet:
            return
        if self._told is not step:
            self._told = step
            click.echo(f"\n{step.says} ({step.seconds:g} s)", err=True)
        if sys.stderr.isatty():
            click.echo(f"\r{left_s:4.0f} s left ", nl=False, err=True)

    def ask(self, piece: Piece, number: int, of: int) -> None:
        """Ask for two numbers."""
        self._input = self._input or self._open()
        click.echo(
            f"\n{number} of {of}, {piece.title[:80]!r}: how pleasant (1-5) and how lively (1-5)"
            " was it for you? Enter skips, q ends the music: ",
            nl=False,
            err=True,
        )

    def answer(self) -> Answer | None:
        """The rating typed; a wrong one is asked for again."""
        assert self._input is not None  # noqa: S101 - asked first
        raw = self._input.next()
        if raw is None:
            if self._input.ended:
                click.echo("\nno more ratings: the input has ended", err=True)
            return "end" if self._input.ended else None
        text = raw.decode("utf-8", "replace").strip()
        if text.lower() == "q":
            return "end"
        try:
            return parse_rating(text)
        except ValueError as error:
            click.echo(f"{error}: ", nl=False, err=True)
            return None

    def notify(self, text: str) -> None:
        """A line of its own."""
        if not self._quiet:
            click.echo(text, err=True)

    def trained(self, done: int, of: int) -> None:
        """How far the fitting has come."""
        if not self._quiet and done == 0:
            click.echo("fitting and judging; this takes a minute or two", err=True)


class PageTalk:
    """Lines to a page and back: listener and jukebox at once, for the page's session plays the music."""

    def __init__(self, steps: int, write_line: Callable[[bytes], None], heard: Lines) -> None:
        self._steps, self._write_line, self._heard = steps, write_line, heard
        self._number = 0
        self._step: Step | None = None
        self._pieces: tuple[Piece, ...] = ()
        self._sounding: str | None = None
        self._answers: list[Answer] = []

    def show(self, step: Step, left_s: float) -> None:
        """The step, about once a second."""
        if self._step is not step:
            self._step, self._number = step, self._number + 1
        self.send(
            lines.StepLine(
                label=step.label,  # type: ignore[arg-type]
                says=lines.cut(step.says),
                key=step.key,
                numbers=dict(step.numbers),
                seconds=step.seconds,
                left_s=left_s,
                number=self._number,
                of=self._steps,
            )
        )

    def ask(self, piece: Piece, number: int, of: int) -> None:
        """Ask; what was said before does not count."""
        self._listen()
        self._answers.clear()
        self.send(lines.AskLine(id=piece.id, title=lines.cut(piece.title), number=number, of=of))

    def answer(self) -> Answer | None:
        """What the page has passed on; the end where the page is gone."""
        self._listen()
        if self._answers:
            return self._answers.pop(0)
        return "end" if self._heard.ended else None

    def notify(self, text: str) -> None:
        """A word for the person."""
        self.send(lines.TellLine(text=lines.cut(text)))

    def trained(self, done: int, of: int) -> None:
        """How far the fitting has come."""
        self.send(lines.TrainLine(done=done, of=of))

    def pieces(self, number: int) -> tuple[Piece, ...]:
        """What the page has named."""
        self._listen()
        return self._pieces[:number]

    def play(self, piece: Piece) -> None:
        """Have the session's player play it."""
        self._sounding = None
        self.send(lines.PlayLine(id=piece.id))

    def sounds(self, piece: Piece) -> bool:
        """Whether the session's player says so."""
        self._listen()
        return self._sounding == piece.id

    def stop(self) -> None:
        """Have the session's player pause."""
        self.send(lines.StopLine())

    def close(self) -> None:
        """Nothing is held."""

    def send(self, words: lines.Said) -> None:
        """Say one line."""
        self._write_line(lines.line(words))

    def _listen(self) -> None:
        while (raw := self._heard.next()) is not None:
            match lines.read_told(raw):
                case lines.PiecesLine(pieces=pieces):
                    self._pieces = tuple(Piece(piece.id, piece.title) for piece in pieces)
                case lines.SoundsLine(id=sounding):
                    self._sounding = sounding
                case lines.RatedLine(valence=valence, arousal=arousal):
                    self._answers.append(Rating(valence, arousal))
                case lines.SkippedLine(all=everything):
                    self._answers.append("end" if everything else "skip")


def page_talk(steps: int) -> PageTalk:
    """Over standard input and output."""

    def write_line(raw: bytes) -> None:
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()

    return PageTalk(steps, write_line, Lines())


__all__ = ["Jukebox", "Lines", "PageTalk", "Talk", "TerminalTalk", "page_talk"]
