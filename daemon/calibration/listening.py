"""The wearer's own music in a calibration: which pieces, who plays them, and what the wearer says of each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from acquisition.port import ReactsToMusic
from acquisition.signal import FloatArray
from daemon.calibration.pieces import Piece, Rating
from daemon.calibration.taker import Step, Taker
from models.datasets.trial import Trial

LISTEN_S = 30.0
JUDGE_S = 8.0
"""People need about 8 s of music before they judge its emotion: so much of a piece is left out."""
BEGIN_S = 15.0
"""A piece that does not sound so long after it was asked for is left out."""
MIN_PIECES = 6
"""With fewer, not even naming all of them rightly is more than guessing allows."""
Answer = Rating | Literal["skip", "end"]
"""What the wearer says of a piece; ``end``: no more music."""


class Jukebox(Protocol):
    """Plays pieces of the wearer's library. Every call returns at once."""

    def pieces(self, number: int) -> tuple[Piece, ...]:
        """So many pieces, or fewer, in the order to be heard."""
        ...

    def play(self, piece: Piece) -> None: ...

    def sounds(self, piece: Piece) -> bool:
        """Whether this very piece is what sounds now."""
        ...

    def stop(self) -> None: ...


class Listener(Protocol):
    """The wearer, as the one who is asked."""

    def ask(self, piece: Piece, number: int, of: int) -> None:
        """Ask for a rating of what was just heard."""
        ...

    def answer(self) -> Answer | None:
        """The answer, or None while there is none. Never waits."""
        ...

    def notify(self, text: str) -> None:
        """Something the wearer should know."""
        ...


@dataclass(frozen=True, slots=True)
class RatedPiece:
    """A piece that was heard to its end and rated, with its samples (n_channels, n)."""

    piece: Piece
    rating: Rating
    samples_uv: FloatArray

    def trial(self, rest: FloatArray, rate_hz: float, number: int) -> Trial:
        """As a trial behind its ``rest`` (n_channels, n); without a label where the rating was the middle."""
        label = self.rating.label
        return Trial(
            "wearer",
            "music",
            number,
            np.concatenate([rest, self.samples_uv], axis=1),
            {} if label is None else {"valence": label},
            rest.shape[1] / rate_hz,
            {"valence": float(self.rating.valence), "arousal": float(self.rating.arousal)},
        )


@dataclass(frozen=True, slots=True)
class Listening:
    """The music part of a calibration."""

    jukebox: Jukebox
    wearer: Listener
    pieces: int
    seconds: float = LISTEN_S
    clock: Callable[[], float] = time.monotonic

    def silence(self) -> None:
        """No music while resting and working: it would be heard in the labels."""
        self.jukebox.stop()

    def run(self, taker: Taker) -> tuple[RatedPiece, ...]:
        """Play, take the EEG, ask; the headset is read on while the wearer thinks."""
        pieces = self.jukebox.pieces(self.pieces)
        if len(pieces) < MIN_PIECES:
            self.wearer.notify(
                f"the music part is left out: it needs {MIN_PIECES} pieces, the library has {len(pieces)}"
            )
            return ()
        heard: list[RatedPiece] = []
        for number, piece in enumerate(pieces, 1):
            samples = self._play_and_record(taker, piece, self.step(number, len(pieces)))
            if samples is None:
                self.wearer.notify(f"{piece.title!r:.80} could not be heard to its end and is left out")
                continue
            self.wearer.ask(piece, number, len(pieces))
            answer = self._answer(taker)
            if answer == "end":
                break
            if isinstance(answer, Rating):
                heard.append(RatedPiece(piece, answer, samples))
        return tuple(heard)

    def step(self, number: int, of: int) -> Step:
        """What the wearer does while a piece sounds."""
        says = f"Listen, eyes as at rest ({number} of {of})."
        return Step("music", self.seconds, says, "music", {"number": number, "of": of})

    def _play_and_record(self, taker: Taker, piece: Piece, step: Step) -> FloatArray | None:
        self._set_wearers_music(taker, piece)
        self.jukebox.play(piece)
        try:
            until_s = self.clock() + BEGIN_S
            taker.drain(lambda: self.jukebox.sounds(piece) or self.clock() > until_s)
            if not self.jukebox.sounds(piece):
                return None
            samples = taker.samples(step, JUDGE_S)
            return samples if self.jukebox.sounds(piece) else None
        finally:
            self.jukebox.stop()
            self._set_wearers_music(taker, None)

    def _answer(self, taker: Taker) -> Answer:
        given: list[Answer] = []

        def answered() -> bool:
            answer = self.wearer.answer()
            if answer is not None:
                given.append(answer)
            return bool(given)

        taker.drain(answered)
        return given[0]

    def _set_wearers_music(self, taker: Taker, piece: Piece | None) -> None:
        if isinstance(taker.source, ReactsToMusic):
            taker.source.on_music(piece.valence if piece else None, piece.arousal if piece else None)
