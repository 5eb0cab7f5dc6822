"""Plays the pieces of a calibration in this process: the player's own library, decoders and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from daemon.calibration.listening import JUDGE_S
from daemon.calibration.pieces import Piece, spread
from daemon.errors import BadInputError
from player.deck import DeckError
from player.music import Track
from player.opening import open_playback
from player.outputs.output_spec import split_outputs
from player.playback.playback import Playback

END_SPARE_S = 3.0


class OwnJukebox:
    """A player of its own, silent until a piece is wanted. Raises ``BadInputError``."""

    def __init__(
        self, music: Sequence[str], output: str, cache_dir: Path, *, listen_s: float, seed: int
    ) -> None:
        self._needed_s, self._seed = listen_s + JUDGE_S + END_SPARE_S, seed
        self._started = False
        try:
            self._playback: Playback = open_playback(
                music=music,
                outputs=split_outputs(output),
                cache_dir=cache_dir,
                policy="manual",
                crossfade_s=1.0,
                seed=seed,
            )
        except (ValueError, DeckError) as error:
            raise BadInputError(str(error)) from None

    def pieces(self, number: int) -> tuple[Piece, ...]:
        """Pieces long enough to be heard to the end, from all over the library's moods."""
        long_enough = [track for track in self._playback.tracks if _heard_s(track) >= self._needed_s]
        return spread([_piece(track) for track in long_enough], number, self._seed)

    def play(self, piece: Piece) -> None:
        """Fade to the piece."""
        self._playback.play(piece.id)
        self._playback.pause(False)
        if not self._started:
            self._started = True
            self._playback.start()

    def sounds(self, piece: Piece) -> bool:
        """Whether it is what sounds now."""
        state = self._playback.state()
        return state.track is not None and state.track.id == piece.id and not state.paused

    def stop(self) -> None:
        """Silence until the next piece."""
        self._playback.pause(True)

    def close(self) -> None:
        """Let the player go."""
        self._playback.close()


def _heard_s(track: Track) -> float:
    end_s = min(track.cue_out_s or track.duration_s, track.duration_s)
    return max(0.0, end_s - track.cue_in_s)


def _piece(track: Track) -> Piece:
    return Piece(track.id, track.title, track.artist, track.mood.valence, track.mood.arousal)
